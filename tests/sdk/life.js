// The life of a customer, lived through the official Node client against the pretend Omise.
//
// Takes the address and the keys from the environment and prints one line per step. Any surprise ends it
// with a status other than 0.
'use strict';

const address = new URL(process.env.SANDBOX_URL);
const options = {
  host: address.hostname,
  vaultHost: address.hostname,
  scheme: 'http',
  omiseVersion: '2019-05-29',
  publicKey: process.env.SANDBOX_PUBLIC_KEY,
  secretKey: process.env.SANDBOX_SECRET_KEY,
};
const makeClient = require('omise');
const omise = makeClient(options);

function step(name, condition) {
  if (!condition) throw new Error(`FAILED ${name}`);
  console.log(`ok ${name}`);
}

async function refused(name, code, act) {
  let answer;
  try {
    answer = await act();
  } catch (error) {
    step(`${name} is ${code}`, error.object === 'error' && error.code === code && error.message.length > 0);
    return;
  }
  throw new Error(`FAILED ${name}: it was not refused but ${JSON.stringify(answer)}`);
}

const token = (number) => omise.tokens.create({card: {
  name: 'Somchai Prasert', number, expiration_month: 10, expiration_year: 2045, city: 'Bangkok',
  postal_code: '10320', security_code: 123,
}});

async function main() {
  // Token and customer.
  const first = await token('4242424242424242');
  step('token', first.id.startsWith('tokn_test_') && first.card.last_digits === '4242');
  step('token retrieve', (await omise.tokens.retrieve(first.id)).used === false);
  const customer = await omise.customers.create({
    email: 'john@example.com', description: 'John Doe', card: first.id, metadata: {plan: 'pro'},
  });
  step('customer create', customer.id.startsWith('cust_test_') && customer.metadata.plan === 'pro');
  const original = customer.default_card;
  step('embedded card', customer.cards.data[0].id === original && customer.cards.total === 1);
  const spent = await omise.tokens.retrieve(first.id);
  step('token is spent', spent.used === true && spent.card === null);
  await refused('spent token', 'used_token', () => omise.customers.create({card: first.id}));

  // Second card, default, update.
  const extra = await token('5555555555554444');
  const two = await omise.customers.update(customer.id, {card: extra.id});
  step('second card', two.object === 'customer' && two.cards.total === 2 && two.default_card === original);
  const second = two.cards.data.find((card) => card.id !== original);
  const chosen = await omise.customers.update(customer.id, {default_card: second.id});
  step('default changed', chosen.default_card === second.id);
  const edited = await omise.customers.updateCard(customer.id, second.id, {
    name: 'Jane Doe', expiration_month: 11, expiration_year: 2046, city: 'Chiang Mai', postal_code: '50000',
  });
  step('card update', edited.expiration_year === 2046 && edited.name === 'Jane Doe' && edited.city === 'Chiang Mai');
  step('card retrieve', (await omise.customers.retrieveCard(customer.id, second.id)).expiration_month === 11);
  const cards = await omise.customers.listCards(customer.id, {limit: 1, order: 'reverse_chronological'});
  step('cards list', cards.total === 2 && cards.data.length === 1 && cards.data[0].id === second.id);

  // Charges.
  const charge = await omise.charges.create({
    amount: '100000', currency: 'thb', customer: customer.id, description: 'Order-1', metadata: {order: '1'},
  });
  step('charge the default', charge.status === 'successful' && charge.card.id === second.id);
  step('charge\'s money', charge.amount === 100000 && charge.fee === 3650 && charge.net === 96094);
  const other = await omise.charges.create({amount: 25000, currency: 'THB', customer: customer.id, card: original});
  step('charge the other', other.card.id === original);
  const poorToken = await token('4111111111140011');
  const poor = await omise.customers.create({card: poorToken.id});
  const declined = await omise.charges.create({amount: 100000, currency: 'thb', customer: poor.id});
  step('declined with status 200', declined.status === 'failed' && declined.failure_code === 'insufficient_fund');
  const changed = await omise.charges.update(charge.id, {description: 'Order-1, changed'});
  step('charge update', changed.description === 'Order-1, changed');
  const held = await omise.charges.create({amount: 30000, currency: 'thb', customer: customer.id, capture: false});
  step('held', held.status === 'pending' && held.authorized === true && held.paid === false);
  step('capture', (await omise.charges.capture(held.id)).status === 'successful');
  const loose = await omise.charges.create({amount: 30000, currency: 'thb', customer: customer.id, capture: false});
  step('reverse', (await omise.charges.reverse(loose.id)).status === 'reversed');
  await refused('reverse twice', 'failed_reverse', () => omise.charges.reverse(loose.id));
  await refused('expire an ended one', 'failed_expire', () => omise.charges.expire(loose.id));
  const list = await omise.charges.list({limit: 2, offset: 1, order: 'chronological'});
  step('charges list', list.total === 5 && list.data.length === 2 && list.data[0].id === other.id);
  const customers = await omise.customers.list();
  step('customers list', customers.total === 2 && customers.data[0].cards.object === 'list');

  // Refund.
  const refund = await omise.charges.createRefund(charge.id, {amount: 40000});
  step('refund', refund.amount === 40000 && refund.charge === charge.id);
  step('refund retrieve', (await omise.charges.retrieveRefund(charge.id, refund.id)).id === refund.id);
  step('refunds list', (await omise.charges.listRefunds(charge.id)).total === 1);
  await refused('refund too much', 'failed_refund', () => omise.charges.createRefund(charge.id, {amount: 60001}));

  // Search.
  const found = await omise.search.list({
    scope: 'charge', query: 'order', 'filters[captured]': true, 'filters[amount]': 1000, order: 'chronological',
  });
  step('search charges', found.object === 'search' && found.total === 1 && found.data[0].id === charge.id);
  const people = await omise.search.list({scope: 'customer', query: 'john'});
  step('search customers', people.data[0].id === customer.id);
  await refused('unknown scope', 'invalid_scope', () => omise.search.list({scope: 'moon'}));

  // Schedules.
  const schedule = await omise.schedules.create({
    every: 1, period: 'month', on: {days_of_month: [15]}, start_date: '2040-01-01', end_date: '2041-01-01',
    charge: {customer: customer.id, amount: 99000, description: 'Monthly'},
  });
  step('schedule', schedule.status === 'running' && schedule.charge.object === 'scheduled_charge');
  step('customer\'s schedules', (await omise.customers.schedules(customer.id)).data[0].id === schedule.id);
  step('charge schedules', (await omise.charges.schedules()).total === 1);
  step('schedule retrieve', (await omise.schedules.retrieve(schedule.id)).period === 'month');
  step('schedule destroy', (await omise.schedules.destroy(schedule.id)).deleted === true);

  // The account.
  step('account', (await omise.account.retrieve()).currency === 'THB');
  step('balance', (await omise.balance.retrieve()).total > 0);
  step('capability', (await omise.capability.retrieve()).limits.charge_amount.min === 2000);
  const events = await omise.events.list({limit: 100});
  step('events', events.data.some((event) => event.key === 'charge.capture'));
  step('event retrieve', (await omise.events.retrieve(events.data[0].id)).object === 'event');
  step('transactions', (await omise.transactions.list()).total === 4);

  // Refusals.
  await refused('no amount', 'invalid_amount', () => omise.charges.create({}));
  await refused('too little', 'invalid_charge',
    () => omise.charges.create({amount: 100, currency: 'thb', customer: customer.id}));
  await refused('unknown customer', 'not_found', () => omise.customers.retrieve('cust_test_no1t4tnemucod0e51mo'));
  await refused('unknown token', 'not_found', () => omise.customers.create({card: 'tokn_test_no1t4tnemucod0e51mo'}));
  await refused('wrong number', 'invalid_card', () => token('4242424242424241'));
  const stranger = makeClient({...options, secretKey: 'skey_test_wrong'});
  await refused('wrong key', 'authentication_failure', () => stranger.account.retrieve());
  const confused = makeClient({...options, secretKey: options.publicKey});
  await refused('wrong kind of key', 'authentication_failure', () => confused.customers.retrieve(customer.id));

  // The end. Clients made later share the last one's options, so the first is made once more.
  const end = makeClient(options);
  const gone = await end.customers.destroyCard(customer.id, second.id);
  step('card destroy', gone.deleted === true);
  step('promotion', (await end.customers.retrieve(customer.id)).default_card === original);
  await refused('destroyed card', 'not_found', () => end.customers.retrieveCard(customer.id, second.id));
  const ended = await end.customers.destroy(customer.id);
  step('customer destroy', ended.deleted === true && ended.default_card === null && ended.cards.total === 0);
  await refused('destroyed customer', 'not_found', () => end.customers.retrieve(customer.id));
  await refused('charge a destroyed customer', 'not_found',
    () => end.charges.create({amount: 100000, currency: 'thb', customer: customer.id}));
  step('its charges stay readable', (await end.charges.retrieve(charge.id)).card.deleted === true);
  console.log('done');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
