//! The one table that is printed: what, goal, ours, reference, ratio; then a line for each aim that was missed.
//!
//! Knows nothing of how anything was measured.

use comfy_table::{CellAlignment, Table, presets};

use crate::spread::Spread;

/// What is aimed at.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

/// One line.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was measured, in words.
    pub what: String,
    /// The aim, for `judged`.
    pub goal: Goal,
    /// What we have, with its unit.
    pub ours: String,
    /// What it is compared with, with its unit; empty where the aim is a plain number.
    pub reference: String,
    /// What the aim is about: a ratio, or the plain number.
    pub judged: Spread,
    /// Digits after the point.
    pub digits: usize,
}

impl Row {
    fn met(&self) -> bool {
        match self.goal {
            Goal::AtLeast(goal) => self.judged.median() >= goal,
            Goal::AtMost(goal) => self.judged.median() <= goal,
        }
    }

    fn goal_text(&self) -> String {
        match self.goal {
            Goal::AtLeast(goal) => format!("≥ {}", number(goal)),
            Goal::AtMost(goal) => format!("≤ {}", number(goal)),
        }
    }

    fn judged_text(&self) -> String {
        let (low, median, high, d) =
            (self.judged.low(), self.judged.median(), self.judged.high(), self.digits);
        if low.total_cmp(&high).is_eq() {
            format!("{median:.d$}")
        } else {
            format!("{median:.d$} ({low:.d$}–{high:.d$})")
        }
    }
}

/// An aim as it is written: without digits that say nothing.
fn number(value: f64) -> String {
    format!("{value}")
}

/// Prints them, and which aims were missed. Aims are shown, not enforced: machines differ.
pub fn print(rows: &[Row]) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_BORDERS_ONLY_CONDENSED);
    table.set_header(["what", "goal", "ours", "reference", "ratio or value: median (low–high)"]);
    for row in rows {
        let mark = if row.met() { "" } else { " ✗" };
        table.add_row([
            row.what.clone(),
            row.goal_text(),
            row.ours.clone(),
            row.reference.clone(),
            format!("{}{mark}", row.judged_text()),
        ]);
    }
    for column in [2, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
    let missed: Vec<_> = rows.iter().filter(|row| !row.met()).collect();
    for row in &missed {
        println!("missed: {}: {}, wanted {}", row.what, row.judged_text(), row.goal_text());
    }
    if missed.is_empty() {
        println!("every aim was reached");
    }
}
