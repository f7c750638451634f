//! What goes wrong at the provider during the soak: every kind that its switches know and that time alone can mend.

use serde_json::{Value, json};

/// Of charges, each in so many of a thousand.
const OF_CHARGES: &[(&str, u32)] = &[
    ("silence_before", 8),
    ("silence_after", 8),
    ("close_before", 15),
    ("close_after", 25),
    ("reset_before", 8),
    ("reset_after", 15),
    ("late:100", 8),
    ("status_before:500", 10),
    ("status_after:500", 15),
    ("status_before:503", 10),
    ("page_after:502", 10),
    ("status_before:400", 3),
    ("too_many:0", 10),
    ("decline:insufficient_fund", 30),
    ("decline:failed_processing", 20),
    ("truncate", 8),
    ("cut_at:200", 8),
    ("html_after", 5),
    ("wrong:amount", 5),
    ("wrong:metadata", 5),
    ("status_word:thinking", 4),
    ("in_flight:50", 8),
    ("no_date", 10),
    ("delay_after:80", 50),
];
/// Of reads of that path, the same.
const OF_READS: &[(&str, &str, u32)] = &[
    ("/charges", "status_before:503", 20),
    ("/charges", "reset_before", 10),
    ("/charges", "no_date", 10),
    ("/customers", "status_before:500", 20),
];

/// The same as rules of the sandbox.
pub fn rules() -> Value {
    let rule = |path: &str, method: &str, faults: &str, share: u32| json!({"path": path, "method": method, "per_mille": share, "faults": faults});
    let charges = OF_CHARGES.iter().map(|(faults, share)| rule("/charges", "POST", faults, *share));
    let reads = OF_READS.iter().map(|(path, faults, share)| rule(path, "GET", faults, *share));
    charges.chain(reads).collect()
}
