//! `dues notify preview KIND`: a letter as its reader would get it, with made-up facts.
//!
//! Promises: nothing is sent and the book is not opened; the words are those of the config and its templates.

use std::io::Write as _;

use anstyle::Style;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{ArgGroup, Args};
use serde::Serialize;

use super::super::context::Context;
use super::super::exit::{Exit, Failure};
use super::super::output::Output;
use crate::model::{Language, MessageKind};
use crate::notify::letters::{Letter, LetterSettings, render, sample, sample_merchant};
use crate::wiring;

/// Which letter, and how it is shown.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("which").required(true).args(["kind", "all"]),
    after_help = "Examples:\n  dues notify preview invoice_paid\n  dues notify preview declined --language th --html > \
                  declined.html\n  dues notify preview --all --json | jq -r .subject\n\nThe facts are made up; the \
                  merchant, the addresses and the templates are those of [notify] in the config."
)]
pub struct PreviewArgs {
    /// What the letter tells of
    #[arg(value_name = "KIND", value_parser = kinds())]
    kind: Option<MessageKind>,
    /// Every letter; in every language, unless --language names one
    #[arg(long, conflicts_with = "html")]
    all: bool,
    /// Its language [default: that of the config]
    #[arg(long, value_name = "LANGUAGE", value_parser = languages())]
    language: Option<Language>,
    /// The page of HTML alone
    #[arg(long, conflicts_with_all = ["text", "json"])]
    html: bool,
    /// The plain text alone, without the subject
    #[arg(long, conflicts_with = "json")]
    text: bool,
}

fn kinds() -> impl clap::builder::TypedValueParser<Value = MessageKind> {
    PossibleValuesParser::new(MessageKind::ALL.iter().map(|kind| kind.word()))
        .try_map(|word| MessageKind::from_word(&word).ok_or("no kind of message"))
}

fn languages() -> impl clap::builder::TypedValueParser<Value = Language> {
    PossibleValuesParser::new(Language::ALL.iter().map(|language| language.word()))
        .try_map(|word| Language::from_word(&word).ok_or("no language"))
}

/// A letter for programs.
#[derive(Serialize)]
struct Shown<'a> {
    kind: MessageKind,
    language: Language,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
}

/// Shows it.
pub(super) fn run(args: &PreviewArgs, context: &Context) -> Result<Exit, Failure> {
    let told = wiring::letters(context.settings())?;
    if told.is_none() && !context.global.quiet {
        // Nobody is left to be told when stderr is gone.
        let _ = writeln!(
            anstream::stderr().lock(),
            "note: found no merchant in [notify] of the config: the letters are shown with a made-up one"
        );
    }
    let mut out = Output::stdout(context.global.json);
    for (language, kind) in wanted(args, told.as_ref()) {
        let letter = match &told {
            Some(settings) => letter(kind, language, settings)?,
            None => letter(kind, language, &LetterSettings::load(sample_merchant(language))?)?,
        };
        show(args, kind, language, &letter, &mut out)?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn wanted(args: &PreviewArgs, told: Option<&LetterSettings>) -> Vec<(Language, MessageKind)> {
    let kinds = args.kind.map_or_else(|| MessageKind::ALL.to_vec(), |kind| vec![kind]);
    let of_config = told.map_or(Language::En, |settings| settings.wishes.language);
    let languages = match args.language {
        Some(language) => vec![language],
        None if args.all => Language::ALL.to_vec(),
        None => vec![of_config],
    };
    languages.into_iter().flat_map(|language| kinds.iter().map(move |kind| (language, *kind))).collect()
}

fn letter(kind: MessageKind, language: Language, settings: &LetterSettings) -> Result<Letter, Failure> {
    render(&sample(kind, language), language, settings).map_err(Failure::usage)
}

fn show(
    args: &PreviewArgs,
    kind: MessageKind,
    language: Language,
    letter: &Letter,
    out: &mut Output,
) -> Result<(), Failure> {
    let Letter { subject, text, html } = letter;
    if out.is_json() {
        return out.object(&Shown { kind, language, subject, text, html });
    }
    if args.html {
        return out.line(html.trim_end());
    }
    let bold = Style::new().bold();
    if args.all {
        out.line(&format!("{bold}== {kind}, {language}{bold:#}"))?;
    }
    if !args.text {
        out.line(&format!("{bold}Subject: {subject}{bold:#}\n"))?;
    }
    out.line(text.trim_end())?;
    if args.all { out.line("") } else { Ok(()) }
}
