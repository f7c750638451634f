//! A process of ours under measurement: how long it took, how much CPU, how much memory at its highest.
//!
//! Promises: every process started here is waited for, or killed by its own handle and then waited for. CPU is what the
//! kernel booked for that process alone. Must never know what the process does.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::Fallible;

/// The kernel counts a process's CPU in these for everybody, whatever its own tick (`USER_HZ` of every Linux that we run on).
const CPU_TICK: Duration = Duration::from_millis(10);
/// The highest memory is read so often: first closely, since a process may live for milliseconds only.
const LOOK_FIRST: Duration = Duration::from_millis(1);
/// And then so often.
const LOOK_LATER: Duration = Duration::from_millis(20);

/// What a process cost.
#[derive(Debug, Clone)]
pub struct Cost {
    /// From its start to its end.
    pub wall: Duration,
    /// User and system, of all its threads. Wrong where other children of ours end at the same time.
    pub cpu: Duration,
    /// The highest resident memory that was seen, in KiB.
    pub peak_kib: u64,
    /// What it printed.
    pub stdout: String,
}

/// Runs it to its end. Anything but success is an error that shows what it said.
pub fn run(command: &mut Command, scratch: &Path) -> Fallible<Cost> {
    let (out, err) = (scratch.join("stdout"), scratch.join("stderr"));
    command.stdin(Stdio::null()).stdout(File::create(&out)?).stderr(File::create(&err)?);
    let cpu_before = cpu_of_ended_children()?;
    let start = Instant::now();
    let mut child = Owned(command.spawn()?);
    let (status, peak_kib) = watched(&mut child)?;
    let wall = start.elapsed();
    let cpu = cpu_of_ended_children()?.saturating_sub(cpu_before);
    let stdout = std::fs::read_to_string(&out)?;
    if !status.success() {
        let said = std::fs::read_to_string(&err)?;
        let last: Vec<_> = said.lines().rev().take(15).collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        return Err(format!("{command:?} ended with {status}:\n{}\n{stdout}", last.join("\n")).into());
    }
    Ok(Cost { wall, cpu, peak_kib, stdout })
}

/// Waits for its end, while a thread looks at its memory.
fn watched(child: &mut Owned) -> Fallible<(std::process::ExitStatus, u64)> {
    let (done, peak, pid) = (AtomicBool::new(false), AtomicU64::new(0), child.0.id());
    let status = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut looks = 0_u32;
            while !done.load(Ordering::Acquire) {
                if let Some(kib) = high_water_kib(pid) {
                    peak.fetch_max(kib, Ordering::Relaxed);
                }
                looks += 1;
                std::thread::sleep(if looks < 200 { LOOK_FIRST } else { LOOK_LATER });
            }
        });
        let status = child.0.wait();
        done.store(true, Ordering::Release);
        status
    })?;
    Ok((status, peak.into_inner()))
}

/// A child that cannot be left behind.
#[derive(Debug)]
pub struct Owned(pub Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // One that has ended already is not there to be killed, and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Peak resident memory so far; `None` once it has ended.
fn high_water_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// CPU of all children that were waited for: the 14th and 15th field after the program's name.
fn cpu_of_ended_children() -> Fallible<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: Vec<u32> =
        fields.split_whitespace().skip(13).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(CPU_TICK * ticks.iter().sum())
}
