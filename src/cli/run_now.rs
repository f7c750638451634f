//! `dues run-now`: what it takes. What it does is in `charging`, how its report is shown in `report`.

use clap::Args;

/// What the run is to be.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dues run-now --config config/demo.toml\n  dues run-now --dry-run\n  \
                        dues run-now --at 2026-12-21 --limit 10 --json")]
pub struct RunNowArgs {
    /// The billing instant: RFC 3339, or a date meaning its first instant in the book's zone [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// Decide as if every charge succeeded, but write nothing and send nothing but reads
    #[arg(long)]
    pub dry_run: bool,
    /// Only this subscription, or this customer's
    #[arg(long, value_name = "ID")]
    pub only: Option<String>,
    /// At most that many charges
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::limit::at_least_one)]
    pub limit: Option<u64>,
    /// Exit 3 for new flags and doubt left over, too
    #[arg(long)]
    pub strict: bool,
}
