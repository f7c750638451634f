//! `dues tokens create`: a token of a test card, for trying things out.
//!
//! Promises: test keys alone; the number comes from stdin, so that it stands in no shell history and in no list of
//! processes. Must never know: the book.

use std::io::BufRead as _;

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::objects::{show, test_mode_only, with_client};
use super::output::Output;
use crate::omise::{Client, NewToken, PublicKey, VAULT_URL};
use crate::wiring::Door;

/// A card number has at most 19 digits; people may put spaces between them.
const NUMBER_MAX_CHARS: u64 = 64;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// Make a token of a test card, whose number is read from stdin
    Create(CreateArgs),
}

/// The rest of the card.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  echo 4242424242424242 | dues tokens create --expires 12/2030\n\nThe embedded sandbox \
                        needs no --public-key. Numbers that fail are published by Omise, for example \
                        4111111111140011 (insufficient_fund)."
)]
pub struct CreateArgs {
    /// Month and year
    #[arg(long, value_name = "MM/YYYY", value_parser = expiry)]
    expires: (u8, u16),
    /// Name of the holder
    #[arg(long, value_name = "TEXT", default_value = "TEST CUSTOMER")]
    name: String,
    /// The public test key of the account
    #[arg(long, value_name = "PKEY")]
    public_key: Option<String>,
}

/// Does it.
pub(super) fn run(command: &TokensCommand, context: &Context) -> Result<Exit, Failure> {
    let TokensCommand::Create(args) = command;
    let mut out = Output::stdout(context.global.json);
    with_client(context, async |client, door| {
        test_mode_only(client, "a token")?;
        let client = with_public_key(args, context, client, door)?;
        let card = NewToken {
            number: number_from_stdin()?,
            name: args.name.clone(),
            expiration_month: args.expires.0,
            expiration_year: args.expires.1,
            security_code: None,
        };
        show(&mut out, &client.tokens().create(&card).await?)
    })?;
    out.finish()?;
    Ok(Exit::Done)
}

fn with_public_key(
    args: &CreateArgs,
    context: &Context,
    client: &Client,
    door: &Door,
) -> Result<Client, Failure> {
    let (vault_url, key) = match (&args.public_key, door.pretend()) {
        (None, Some(pretend)) => pretend,
        (Some(key), Some((vault_url, _))) => (vault_url, key.clone()),
        (Some(key), None) => {
            let vault_url = context.settings().omise.vault_url.clone();
            (vault_url.unwrap_or_else(|| VAULT_URL.to_owned()), key.clone())
        }
        (None, None) => {
            return Err(Failure::usage(
                "found no public key, wanted --public-key pkey_test_…: only it can make tokens",
            ));
        }
    };
    Ok(client.with_public_key(&vault_url, PublicKey::parse(&key)?)?)
}

/// The first line of stdin, spaces taken out.
fn number_from_stdin() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    let stdin = std::io::stdin().lock();
    std::io::Read::take(stdin, NUMBER_MAX_CHARS)
        .read_line(&mut line)
        .map_err(|error| Failure::usage(format!("no card number could be read from stdin ({error})")))?;
    let number: Zeroizing<String> = Zeroizing::new(line.chars().filter(|c| !c.is_whitespace()).collect());
    if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit()) {
        return Err(Failure::usage("found no card number on stdin, wanted one line of digits"));
    }
    Ok(number)
}

/// `12/2030`.
fn expiry(text: &str) -> Result<(u8, u16), String> {
    let wrong = || format!("found {text:?}, wanted MM/YYYY, such as 12/2030");
    let (month, year) = text.split_once('/').ok_or_else(wrong)?;
    let month = month.parse().ok().filter(|month| (1..=12).contains(month)).ok_or_else(wrong)?;
    let year = year.parse().ok().filter(|year| (2000..=2999).contains(year)).ok_or_else(wrong)?;
    Ok((month, year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_read_as_printed_on_cards() {
        assert_eq!(expiry("12/2030"), Ok((12, 2030)));
        assert_eq!(expiry("01/2030"), Ok((1, 2030)));
        for wrong in ["13/2030", "0/2030", "12/30", "2030-12", "", "12/", "/2030"] {
            assert!(expiry(wrong).is_err(), "{wrong}");
        }
    }
}
