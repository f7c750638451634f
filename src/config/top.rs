//! The config as a whole: which sections there are, in which file each stands, and how files come together.
//!
//! Promises: a section stands in one file; plans and dunning policies may be spread over several, each name once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::problem::{Place, Problem, Problems};
use super::section::{Found, nearest, unknown};
use super::settings::{ScheduleSettings, Settings};
use super::sources::{Kind, Parsed};
use super::{declines, deliveries, limits, notify, plans, rooms};
use crate::model::{PlanKey, PlanTerms, Zone, ZoneError};

const KNOWN: &[&str] = &[
    "zone", "include", "store", "omise", "web", "backup", "schedule", "plans", "dunning", "cards", "doubt",
    "three_ds", "catch_up", "brakes", "budgets", "sandbox", "declines", "notify",
];

/// Keys of a file of declines.
const KNOWN_OF_DECLINES: &[&str] = &["rows"];

/// Sections whose entries may come from several files.
const SPREAD: &[&str] = &["plans", "dunning"];

/// All files' top tables as one.
pub(super) struct Top<'a> {
    found: Vec<(&'a str, Place, Found<'a>)>,
    /// Rows that stand in files of their own.
    declines: Vec<Found<'a>>,
}

impl<'a> Top<'a> {
    fn gather(files: &'a [Parsed<'a>], problems: &'a Problems<'a>) -> Self {
        let mut found: Vec<(&str, Place, Found<'_>)> = Vec::new();
        let mut declines = Vec::new();
        for parsed in files {
            if parsed.kind == Kind::Declines {
                declines.extend(rows_of(parsed, problems));
                continue;
            }
            for (key, value) in &parsed.table {
                let name = key.get_ref().as_ref();
                let place = Place::new(parsed.file, key.span());
                if !KNOWN.contains(&name) {
                    problems.add(unknown_section(name, place));
                    continue;
                }
                let first = found.iter().find(|(known, ..)| *known == name && !SPREAD.contains(&name));
                if let Some((_, first, _)) = first.filter(|_| name != "include") {
                    problems.add(twice(name, place, first.clone()));
                    continue;
                }
                let value = Found::new(name.into(), parsed.file, &parsed.folder, value, problems);
                found.push((name, place, value));
            }
        }
        Self { found, declines }
    }

    /// The rows of each file of declines.
    pub(super) fn declines(&self) -> &[Found<'a>] {
        &self.declines
    }

    /// A section that stands in one file; `None`: absent.
    pub(super) fn one(&self, name: &str) -> Option<&Found<'a>> {
        self.found.iter().find(|(known, ..)| *known == name).map(|(.., found)| found)
    }

    /// The entries of a section that may be spread over files, each name once.
    pub(super) fn spread(
        &self,
        name: &str,
        wanted: &str,
        problems: &Problems<'_>,
    ) -> Vec<(&'a str, Found<'a>)> {
        let mut entries: Vec<(&str, Place, Found<'_>)> = Vec::new();
        for (.., section) in self.found.iter().filter(|(known, ..)| *known == name) {
            for (key, place, found) in section.entries(wanted).unwrap_or_default() {
                match entries.iter().find(|(known, ..)| *known == key) {
                    Some((_, first, _)) => {
                        problems.add(twice(&format!("{name}.{key}"), place, first.clone()));
                    }
                    None => entries.push((key, place, found)),
                }
            }
        }
        entries.into_iter().map(|(key, _, found)| (key, found)).collect()
    }
}

/// The rows of a file of declines, which has nothing else.
pub(super) fn rows_of<'a>(parsed: &'a Parsed<'a>, problems: &'a Problems<'a>) -> Option<Found<'a>> {
    let mut rows = None;
    for (key, value) in &parsed.table {
        let name = key.get_ref().as_ref();
        if KNOWN_OF_DECLINES.contains(&name) {
            rows = Some(Found::new(name.into(), parsed.file, &parsed.folder, value, problems));
        } else {
            problems.add(unknown("", name, Place::new(parsed.file, key.span()), KNOWN_OF_DECLINES));
        }
    }
    rows
}

/// A key that nobody reads here may be one of `[omise]`, which is what people write first.
fn unknown_section(name: &str, place: Place) -> Problem {
    let problem = unknown("", name, place, KNOWN);
    if nearest(name, KNOWN).is_some() {
        return problem;
    }
    if name.contains("key") {
        let help = "the key's place is [omise] secret_key_file, the path of a file that holds it; no config holds it itself";
        return Problem { help: Some(help.into()), ..problem };
    }
    match nearest(name, rooms::OMISE_KEYS) {
        Some(near) => Problem { help: Some(format!("[omise] has `{near}`")), ..problem },
        None => problem,
    }
}

fn twice(name: &str, place: Place, first: Place) -> Problem {
    Problem {
        place,
        sentence: format!("{name}: found a second time, wanted once in all files"),
        also: Some((first, "first here".into())),
        help: None,
    }
}

/// Judges the whole config. `None`: something needed is missing or wrong, and was noted.
pub(super) fn read<'a>(
    path: &Path,
    files: &'a [Parsed<'a>],
    problems: &'a Problems<'a>,
) -> Option<(Settings, Vec<(PlanKey, PlanTerms)>)> {
    let top = Top::gather(files, problems);
    for (.., include) in top.found.iter().filter(|(name, ..)| *name == "include") {
        for file in include.list("a list of files such as [\"plans.toml\"]").unwrap_or_default() {
            file.text("a file's path");
        }
    }
    let folder: PathBuf = files.first().map(|first| first.folder.clone()).unwrap_or_default();
    let zone = zone(&top, problems);
    let settings = settings(&top, &folder, problems);
    let plans = plans::read(&top, problems);
    Some((Settings { file: path.to_owned(), zone: zone?, ..settings }, plans))
}

fn settings(top: &Top<'_>, folder: &Path, problems: &Problems<'_>) -> Settings {
    let omise = rooms::omise(top.one("omise"));
    let told = top.one("notify").and_then(notify::section);
    let doubt = limits::doubt(top.one("doubt"), &omise);
    Settings {
        file: PathBuf::new(),
        zone: Zone::UTC,
        store: rooms::store(top.one("store"), folder),
        sandbox: top.one("sandbox").map(rooms::sandbox).unwrap_or_default(),
        web: top.one("web").and_then(rooms::web),
        backup: top.one("backup").and_then(rooms::backup),
        schedule: top.one("schedule").map_or_else(ScheduleSettings::default, rooms::schedule),
        cards: limits::cards(top.one("cards")),
        three_ds: limits::three_ds(top.one("three_ds")),
        catch_up: limits::catch_up(top.one("catch_up")),
        brakes: limits::brakes(top.one("brakes"), folder),
        letters: told.as_ref().and_then(notify::letters),
        notify: told.as_ref().map(deliveries::deliveries).unwrap_or_default(),
        declines: Arc::new(declines::read(top, problems)),
        budgets: limits::budgets(top.one("budgets")),
        doubt,
        omise,
    }
}

fn zone(top: &Top<'_>, problems: &Problems<'_>) -> Option<Zone> {
    let Some(found) = top.one("zone") else {
        let sentence = "zone: found none, wanted the book's zone, such as zone = \"Asia/Bangkok\" at the top";
        problems.note(Place::new(0, 0..0), sentence.into());
        return None;
    };
    let name = found.text("an IANA zone such as \"Asia/Bangkok\"")?;
    Zone::parse(name).map_err(|wrong| unknown_zone(found, name, &wrong)).ok()
}

fn unknown_zone(found: &Found<'_>, name: &str, wrong: &ZoneError) {
    let database = jiff::tz::TimeZoneDatabase::bundled();
    let known: Vec<String> = database.available().map(|zone| zone.to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match nearest(name, &known) {
        Some(near) => found.wrong_help(wrong, format!("did you mean \"{near}\"?")),
        None => found.wrong(wrong),
    }
}
