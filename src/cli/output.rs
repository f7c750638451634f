//! What goes to stdout: tables for people, JSON for programs, never both.
//!
//! Promises: buffered, flushed at the end of a command; colour only on a terminal; a reader that goes away ends
//! the command quietly. Must never know: what the words mean.

use std::io::{self, BufWriter, Write};

use anstyle::Style;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

use super::exit::Failure;

/// Where a command's data goes.
pub struct Output {
    json: bool,
    out: BufWriter<Box<dyn Write>>,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    name: &'static str,
    right: bool,
}

impl Column {
    /// Words: aligned to the left.
    pub const fn text(name: &'static str) -> Self {
        Self { name, right: false }
    }

    /// Numbers: aligned to the right.
    pub const fn number(name: &'static str) -> Self {
        Self { name, right: true }
    }
}

impl Output {
    /// To stdout; colours are taken out unless it is a terminal and `NO_COLOR` is absent.
    pub fn stdout(json: bool) -> Self {
        Self { json, out: BufWriter::new(Box::new(anstream::AutoStream::auto(io::stdout()))) }
    }

    /// Whether a program reads it.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// One line for people.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// One JSON object on one line.
    pub fn object<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.out, value).map_err(io::Error::from)?;
        Ok(self.out.write_all(b"\n")?)
    }

    /// A table with a heading. Nothing for no rows.
    pub fn table(&mut self, columns: &[Column], rows: Vec<Vec<String>>) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(columns.iter().map(|column| column.name));
        table.add_rows(rows);
        for (index, column) in columns.iter().enumerate() {
            if let Some(shape) = table.column_mut(index) {
                shape.set_padding((0, 2));
                if column.right {
                    shape.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        let bold = Style::new().bold();
        for (index, line) in table.lines().enumerate() {
            let line = line.trim_end();
            let style = if index == 0 { bold } else { Style::new() };
            writeln!(self.out, "{style}{line}{style:#}")?;
        }
        Ok(())
    }

    /// Hands everything over.
    pub fn finish(mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}
