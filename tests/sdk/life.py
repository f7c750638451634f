"""The life of a customer, lived through the official Python client against the pretend Omise.

Takes the address and the keys from the environment and prints one line per step. Any surprise ends it
with a traceback and a status other than 0.
"""

import os
import sys

import omise
from omise import errors

ADDRESS = os.environ["SANDBOX_URL"]
omise.api_main = ADDRESS
omise.api_vault = ADDRESS
omise.api_secret = os.environ["SANDBOX_SECRET_KEY"]
omise.api_public = os.environ["SANDBOX_PUBLIC_KEY"]
omise.api_version = "2019-05-29"


def step(name, condition):
    if not condition:
        sys.exit("FAILED " + name)
    print("ok " + name)


def refused(name, kind, act):
    try:
        act()
    except kind as error:
        step(name, type(error) is kind and str(error))
    else:
        sys.exit("FAILED " + name + ": it was not refused")


def token(number):
    return omise.Token.create(
        name="Somchai Prasert",
        number=number,
        expiration_month=10,
        expiration_year=2045,
        city="Bangkok",
        postal_code="10320",
        security_code=123,
    )


# Token and customer.
first = token("4242424242424242")
step("token", first.id.startswith("tokn_test_") and not first.used and first.card.last_digits == "4242")
step("token retrieve", omise.Token.retrieve(first.id).id == first.id)
step("token reload", first.reload().location.endswith("/tokens/" + first.id))
customer = omise.Customer.create(
    description="John Doe", email="john@example.com", card=first.id, metadata={"plan": "pro"}
)
step("customer create", customer.id.startswith("cust_test_") and customer.metadata.plan == "pro")
step("embedded card", len(customer.cards) == 1 and customer.cards[0].id == customer.default_card)
spent = omise.Token.retrieve(first.id)
step("token is spent", spent.used and spent.card is None)
refused("spent token", errors.UsedTokenError, lambda: omise.Customer.create(card=first.id))

# Second card, default, update.
original = customer.default_card
customer.update(card=token("5555555555554444").id)
step("second card", len(customer.cards) == 2 and customer.default_card == original)
second = [card for card in customer.cards if card.id != original][0]
step("second card's brand", second.brand == "MasterCard")
customer.update(default_card=second.id)
step("default changed", customer.reload().default_card == second.id)
customer.update(description="Jane Doe", email="jane@example.com")
step("customer update", omise.Customer.retrieve(customer.id).email == "jane@example.com")
second.update(name="Jane Doe", expiration_month=11, expiration_year=2046, postal_code="10110")
second.reload()
step("card update", (second.expiration_month, second.expiration_year, second.name) == (11, 2046, "Jane Doe"))
step("cards list", sorted(card.id for card in customer.list_cards()) == sorted([original, second.id]))

# Charges.
charge = omise.Charge.create(
    amount=100000, currency="thb", customer=customer.id, description="Order-1", metadata={"order": "1"}
)
step("charge the default", charge.status == "successful" and charge.card.id == second.id)
step("charge's money", (charge.fee, charge.fee_vat, charge.net, charge.currency) == (3650, 256, 96094, "THB"))
other = omise.Charge.create(amount="25000", currency="THB", customer=customer.id, card=original)
step("charge the other", other.amount == 25000 and other.card.id == original)
poor = omise.Customer.create(card=token("4111111111140011").id)
declined = omise.Charge.create(amount=100000, currency="thb", customer=poor.id)
step("declined with status 200", (declined.status, declined.failure_code) == ("failed", "insufficient_fund"))
step("charge reload", charge.reload().status == "successful")
charge.update(description="Order-1, changed")
step("charge update", omise.Charge.retrieve(charge.id).description == "Order-1, changed")
held = omise.Charge.create(amount=30000, currency="thb", customer=customer.id, capture=False)
step("held", held.status == "pending" and held.authorized and not held.paid)
held.capture()
step("capture", held.status == "successful" and held.paid)
loose = omise.Charge.create(amount=30000, currency="thb", customer=customer.id, capture=False)
loose.reverse()
step("reverse", loose.status == "reversed")
refused("reverse twice", errors.BaseError, lambda: loose.reverse())
refused("capture a refused one", errors.FailedCaptureError, lambda: declined.capture())
step("charges list", len(omise.Charge.list()) == 5 and sum(1 for _ in omise.Charge.list()) == 5)
step("charges page", omise.Charge.list().offset(limit=1, order="reverse_chronological")[0].id == loose.id)
step("customers list", {c.id for c in omise.Customer.list()} == {customer.id, poor.id})

# Refund.
refund = charge.refund(amount=40000)
step("refund", refund.amount == 40000 and refund.charge == charge.id)
step("refunds list", [r.id for r in charge.list_refunds()] == [refund.id])
step("refunded", charge.reload().refunded_amount == 40000)
refused("refund too much", errors.FailedRefundError, lambda: charge.refund(amount=60001))
refused("refund a refused one", errors.FailedRefundError, lambda: declined.refund(amount=100))
step("charge events", "charge.create" in [event.key for event in charge.list_events()])

# Search.
found = omise.Search.execute("charge", query="order", filters={"amount": "1000", "captured": "true"})
step("search charges", [row.id for row in found] == [charge.id] and found.total == 1)
step("search customers", [row.id for row in omise.Search.execute("customer", query="jane")] == [customer.id])

# Schedules.
schedule = omise.Schedule.create(
    every=1, period="month", on={"days_of_month": [15]}, start_date="2040-01-01", end_date="2041-01-01",
    charge={"customer": customer.id, "amount": 99000, "description": "Monthly"},
)
step("schedule", schedule.status == "running" and schedule.charge.amount == 99000)
step("customer's schedules", [row.id for row in customer.list_schedules()] == [schedule.id])
step("schedules list", [row.id for row in omise.Schedule.list()] == [schedule.id])
step("schedule retrieve", omise.Schedule.retrieve(schedule.id).reload().period == "month")
schedule.destroy()
step("schedule destroy", schedule.destroyed)

# The account.
step("account", omise.Account.retrieve().currency == "THB")
step("balance", omise.Balance.retrieve().total > 0)
step("capability", omise.Capability.retrieve().limits is not None)
step("forex", omise.Forex.retrieve("usd").rate > 0)
step("events", "customer.create" in [event.key for event in omise.Event.list()])
step("transactions", len(list(omise.Transaction.list())) == 4)

# Refusals.
refused("no amount", errors.BaseError, lambda: omise.Charge.create())
refused("too little", errors.InvalidChargeError,
        lambda: omise.Charge.create(amount=100, currency="thb", customer=customer.id))
refused("unknown customer", errors.NotFoundError,
        lambda: omise.Charge.create(amount=100000, currency="thb", customer="cust_test_no1t4tnemucod0e51mo"))
refused("unknown token", errors.NotFoundError, lambda: omise.Customer.create(card="tokn_test_no1t4tnemucod0e51mo"))
refused("wrong number", errors.InvalidCardError, lambda: token("4242424242424241"))
empty = omise.Customer.create(email="empty@example.com")
refused("no card", errors.MissingCardError,
        lambda: omise.Charge.create(amount=100000, currency="thb", customer=empty.id))
secret, omise.api_secret = omise.api_secret, "skey_test_wrong"
refused("wrong key", errors.AuthenticationFailureError, lambda: omise.Account.retrieve())
omise.api_secret = omise.api_public
refused("wrong kind of key", errors.AuthenticationFailureError, lambda: omise.Customer.retrieve(customer.id))
omise.api_secret = secret

# The end.
second.reload()
second.destroy()
step("card destroy", second.destroyed and customer.reload().default_card == original)
refused("destroyed card", errors.NotFoundError, lambda: omise.Card.retrieve(customer.id, second.id))
refused("charge a destroyed card", errors.NotFoundError,
        lambda: omise.Charge.create(amount=100000, currency="thb", customer=customer.id, card=second.id))
customer.destroy()
step("customer destroy", customer.destroyed)
refused("destroyed customer", errors.NotFoundError, lambda: omise.Customer.retrieve(customer.id))
refused("charge a destroyed customer", errors.NotFoundError,
        lambda: omise.Charge.create(amount=100000, currency="thb", customer=customer.id))
step("its charges stay readable", omise.Charge.retrieve(charge.id).card.deleted)
step("lists skip it", customer.id not in {row.id for row in omise.Customer.list()})
print("done")
