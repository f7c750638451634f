//! The unit under a real systemd: booted as process 1 of private namespaces, with /etc and /usr/bin as overlays that
//! are gone with it, so that the unit is installed there just as on a host.
//!
//! It needs root, namespaces and systemd. `tests/run` asks for it wherever they can be had, and says loudly where not;
//! by itself it is ignored and counts as skipped, never as passed: `cargo nextest run --run-ignored all systemd`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use dues::sandbox::Fates;
use serde_json::{Value, json};

use crate::harness::{Scene, Setting};

const LONGEST: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(200);
const CUSTOMERS: u32 = 6;

/// Runs as process 1's predecessor: everything that systemd writes goes to memory that is gone with it.
const BOOT: &str = r#"set -e
mount --make-rprivate /
mount --make-rshared /
for folder in /run /tmp /var/tmp /var/log /var/lib; do mount -t tmpfs tmpfs "$folder"; done
for folder in etc usr/bin usr/lib/sysusers.d usr/lib/tmpfiles.d; do
  mkdir -p "/run/over/$folder/up" "/run/over/$folder/work"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=/run/over/$folder/up,workdir=/run/over/$folder/work" "/$folder"
done
export container=dues-test
exec /lib/systemd/systemd --unit=basic.target
"#;

/// After the install section of the README: quicker restarts and a shorter patience for the test, and a config for those
/// who only hand runs over.
const FOR_THE_TEST: &str = r#"install -m 0640 -g dues now.toml /etc/dues/now.toml
mkdir -p /etc/systemd/system/dues.service.d
mkdir -p /etc/systemd/system/dues-run-now.timer.d
printf '[Unit]\nStartLimitBurst=20\n[Service]\nRestartSec=1s\nWatchdogSec=4s\nTimeoutAbortSec=1s\nEnvironment=DUES_HANG=/run/hang\n' \
  > /etc/systemd/system/dues.service.d/test.conf
printf '[Timer]\nRandomizedDelaySec=0\n' > /etc/systemd/system/dues-run-now.timer.d/test.conf
systemctl daemon-reload
complaints=$(systemd-analyze verify /etc/systemd/system/dues.service /etc/systemd/system/dues-run-now.service \
  /etc/systemd/system/dues-run-now.timer 2>&1)
if [ -n "$complaints" ]; then echo "systemd-analyze verify: $complaints"; exit 1; fi
# Exposure at most 1.3, counted in tenths.
for unit in dues dues-run-now; do
  systemd-analyze security --offline=true --threshold=13 "/etc/systemd/system/$unit.service" >/dev/null
done
"#;

/// The commands of the README's install section, word by word.
pub(crate) fn install_commands() -> Vec<&'static str> {
    let readme = include_str!("../../README.md");
    let (_, from) = readme.split_once("Install on a host with systemd").expect("an install section");
    let (_, block) = from.split_once("```sh\n").expect("its commands");
    let (block, _) = block.split_once("```").expect("their end");
    block.lines().collect()
}

/// All of them but the first, which built the program under test, and the last, which starts it.
fn install() -> String {
    let commands = install_commands();
    let (first, rest) = commands.split_first().expect("commands");
    let (last, rest) = rest.split_last().expect("more of them");
    assert_eq!((*first, *last), ("cargo build --release", START));
    rest.join("\n")
}

/// The last command of the install section.
const START: &str = "systemctl enable --now dues";

/// A booted machine; it ends with this value.
struct Machine {
    unshare: Child,
    init: u32,
}

impl Machine {
    fn boot() -> Self {
        let mut unshare = Command::new("unshare")
            .args([
                "--pid",
                "--fork",
                "--mount",
                "--mount-proc",
                "--cgroup",
                "--uts",
                "--ipc",
                "--kill-child",
            ])
            .args(["sh", "-c", BOOT])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("unshare is installed");
        let begun = Instant::now();
        let children = format!("/proc/{0}/task/{0}/children", unshare.id());
        let init = loop {
            let ended = unshare.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "no namespaces can be had here (root, overlayfs?): {ended:?}");
            assert!(begun.elapsed() < LONGEST, "no process 1 came up");
            let text = std::fs::read_to_string(&children).unwrap_or_default();
            if let Ok(pid) = text.trim().parse() {
                break pid;
            }
            std::thread::sleep(LOOK_EVERY);
        };
        let machine = Self { unshare, init };
        machine.waits_until("it runs", |m| {
            let state = m.says("systemctl is-system-running || true");
            state.contains("running") || state.contains("degraded")
        });
        machine
    }

    fn command(&self, script: &str) -> Output {
        Command::new("nsenter")
            .args(["-t", &self.init.to_string(), "-m", "-p", "-u", "-i", "-C", "sh", "-c", script])
            .stdin(Stdio::null())
            .output()
            .expect("nsenter is installed")
    }

    /// What a command says on stdout; it must succeed.
    #[track_caller]
    fn says(&self, script: &str) -> String {
        let output = self.command(script);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}\n{out}\n{err}\n{}", self.log());
        out.into_owned()
    }

    fn log(&self) -> String {
        let output =
            self.command("systemctl status dues --no-pager; journalctl -u dues --no-pager | tail -40");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn property(&self, name: &str) -> String {
        self.says(&format!("systemctl show dues -P {name}")).trim().to_owned()
    }

    #[track_caller]
    fn waits_until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < LONGEST, "never: {what}\n{}", self.log());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until the service is up again as another process than `before`.
    #[track_caller]
    fn waits_for_another(&self, before: &str) {
        let same = format!("MainPID={before}\n");
        self.waits_until("another process serves", |m| {
            // In one answer: between two, the old process may be found dead.
            let said = m.says("systemctl show dues -p MainPID -p ActiveState");
            said.contains("ActiveState=active\n") && !said.contains(&same) && !said.contains("MainPID=0\n")
        });
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // `--kill-child` ends process 1 and with it everything inside.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

/// A folder that looks like the source folder after a build, with the key in it, and with the pretend provider in its
/// config.
fn scene() -> Scene {
    use std::os::unix::fs::symlink;
    let setting = Setting {
        customers: CUSTOMERS,
        fates: Fates::Paying,
        in_flight: 2,
        timeout: "3s",
        ..Setting::default()
    };
    let scene = Scene::new(setting);
    let addr = scene.sandbox().addr();
    std::fs::create_dir_all(scene.path("target/release")).unwrap();
    std::fs::create_dir(scene.path("config")).unwrap();
    symlink(env!("CARGO_BIN_EXE_dues"), scene.path("target/release/dues")).unwrap();
    symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd"), scene.path("systemd")).unwrap();
    scene.write_config("config/dues.toml", addr);
    // Whoever hands a run over needs no key, and no wishes about doubt.
    scene.write(
        "now.toml",
        &format!(
            "zone = \"Asia/Bangkok\"\n[store]\npath = \"/var/lib/dues/dues.db\"\n[omise]\napi_url = \"http://{addr}\"\n\
             vault_url = \"http://{addr}\"\nin_flight = 2\ntimeout = \"3s\"\n{}",
            crate::harness::PLANS
        ),
    );
    let rows: Vec<String> = scene.customers().iter().map(|id| format!("{id},monthly")).collect();
    scene.write("first.csv", &format!("customer,plan\n{}\n", rows.join("\n")));
    scene
}

fn slow(scene: &Scene, ms: u64) {
    scene.ask("POST", "/__sandbox/settings", "", &json!({"latency_ms": ms}));
}

/// A date so many days from today.
fn in_days(days: i64) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    then.strftime("%Y-%m-%d").to_string()
}

/// How often each customer has truly paid.
fn paid(scene: &Scene) -> BTreeMap<String, u32> {
    let mut paid = BTreeMap::new();
    for entry in scene.ledger().into_iter().filter(|entry| entry.status == "successful") {
        *paid.entry(entry.customer.unwrap_or_default()).or_insert(0) += 1;
    }
    paid
}

#[test]
#[ignore = "boots a systemd: needs root, namespaces and overlayfs; cargo nextest run --run-ignored all systemd"]
fn the_unit_under_a_real_systemd() {
    assert!(rustix::process::getuid().is_root(), "SKIPPED IN TRUTH: a systemd can only be booted by root");
    let scene = scene();
    let machine = Machine::boot();
    machine.says(&format!("set -e\ncd {}\n{}\n{FOR_THE_TEST}", scene.folder().display(), install()));
    starts_and_is_ready(&machine, &scene);
    survives_a_kill_in_the_middle_of_a_run(&machine, &scene);
    keeps_to_its_own_folders(&machine);
    reloads_good_and_refuses_bad(&machine);
    stops_in_flight(&machine, &scene);
    is_killed_when_it_hangs(&machine);
    keeps_its_secret(&machine, &scene, &["CREDENTIALS_DIRECTORY"]);
    runs_by_timer_too(&machine, &scene);
    // That unit has ended: what it left is its state and its lines in the journal.
    keeps_its_secret(&machine, &scene, &["_SYSTEMD_UNIT=dues-run-now.service"]);
}

fn starts_and_is_ready(machine: &Machine, scene: &Scene) {
    // Type=notify: the start returns once the service has said READY.
    machine.says(START);
    let standing = (machine.property("Type"), machine.property("ActiveState"), machine.property("SubState"));
    assert_eq!(standing, ("notify".into(), "active".into(), "running".into()));
    let import = format!("runuser -u dues -- dues import --config /etc/dues/now.toml {}/first.csv", {
        let public = "/run/import";
        machine.says(&format!(
            "install -d {public} && install -m 0644 {}/first.csv {public}",
            scene.folder().display()
        ));
        public
    });
    machine.says(&import);
    machine.waits_until("the first run is told", |m| m.property("StatusText").contains("last run"));
}

/// Hands a run over and does not wait for it.
fn hand_over(machine: &Machine, at: &str) {
    let asked =
        format!("runuser -u dues -- dues run-now --config /etc/dues/now.toml --at {at} >/run/asked 2>&1 &");
    machine.says(&asked);
}

/// Handed-over runs until everybody has paid so often, and nobody more.
fn until_all_paid(machine: &Machine, scene: &Scene, times: u32, at: &str) {
    machine.waits_until("all have paid", |m| {
        let run = m.command(&format!(
            "runuser -u dues -- dues run-now --config /etc/dues/now.toml --json --at {at}"
        ));
        assert!(paid(scene).values().all(|n| *n <= times), "charged twice: {:?}\n{}", paid(scene), m.log());
        let open = String::from_utf8_lossy(&run.stdout).contains("\"doubt_left\":0");
        run.status.success()
            && open
            && paid(scene).len() == CUSTOMERS as usize
            && paid(scene).values().all(|n| *n == times)
    });
}

fn survives_a_kill_in_the_middle_of_a_run(machine: &Machine, scene: &Scene) {
    slow(scene, 600);
    let before = machine.property("MainPID");
    let at = in_days(6);
    hand_over(machine, &at);
    machine.waits_until("money moves", |_| !scene.ledger().is_empty());
    machine.says(&format!("kill -9 {before}"));
    slow(scene, 0);
    machine.waits_for_another(&before);
    assert_eq!(machine.property("NRestarts"), "1", "systemd itself started it again");
    until_all_paid(machine, scene, 1, &at);
    doubt_was_left_and_resolved(machine);
    let found = machine.says(
        "journalctl -u dues --no-pager -o json \
         --output-fields=SUBSCRIPTION,INVOICE,ATTEMPT,CUSTOMER,PRIORITY MESSAGE=charged",
    );
    assert!(!found.is_empty(), "nobody was charged, says the journal");
    for line in found.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| line[name].as_str().unwrap_or_default();
        let (subscription, invoice, attempt) = (field("SUBSCRIPTION"), field("INVOICE"), field("ATTEMPT"));
        assert!(subscription.starts_with("sub_"), "{line}");
        assert!(invoice.strip_prefix(subscription).is_some_and(|rest| rest.starts_with('.')), "{line}");
        assert!(attempt.strip_prefix(invoice).is_some_and(|rest| rest.starts_with('.')), "{line}");
        // A name would be longer, and no customer's hash is one.
        assert_eq!((field("CUSTOMER").len(), field("PRIORITY")), (8, "6"), "{line}");
    }
    assert!(!found.contains("cust_"), "a customer's name is in the journal: {found}");
}

/// The kill left requests whose answers nobody read, and each was looked up: all have ended, some of them as paid.
fn doubt_was_left_and_resolved(machine: &Machine) {
    let rows = |what: &str| -> Vec<Value> {
        let list = format!("runuser -u dues -- dues list {what} --config /etc/dues/now.toml --json");
        machine.says(&list).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let of_doubt = |event: &Value| event["kind"] == "attempt_in_doubt";
    let doubtful: BTreeSet<String> = rows("events")
        .iter()
        .filter(|event| of_doubt(event))
        .filter_map(|event| event.pointer("/data/attempt").and_then(Value::as_str).map(str::to_owned))
        .collect();
    assert!(!doubtful.is_empty(), "the kill left no doubt, so nothing was shown\n{}", machine.log());
    let ended: Vec<_> = rows("attempts")
        .into_iter()
        .filter(|row| row["id"].as_str().is_some_and(|id| doubtful.contains(id)))
        .map(|row| row["status"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(ended.len(), doubtful.len());
    assert!(ended.iter().all(|status| matches!(status.as_str(), "succeeded" | "absent")), "{ended:?}");
    let resolved = ended.iter().filter(|status| *status == "succeeded").count();
    assert!(resolved > 0, "money had moved before the kill: {ended:?}");
}

fn keeps_to_its_own_folders(machine: &Machine) {
    let pid = machine.property("MainPID");
    for place in ["/etc/x", "/usr/x", "/var/log/x", "/etc/dues/x", "/home/x", "/root/x"] {
        let tried = machine.command(&format!("nsenter -t {pid} -m touch {place}"));
        let said = String::from_utf8_lossy(&tried.stderr).into_owned();
        assert!(said.contains("Read-only file system"), "{place}: {said}");
    }
    let seen = machine.says(&format!(
        "nsenter -t {pid} -m sh -c 'ls /dev /tmp; touch /var/lib/dues/x && rm /var/lib/dues/x'"
    ));
    for hidden in ["kmsg", "mem\n", "sda", "vda"] {
        assert!(!seen.contains(hidden), "{hidden} can be seen:\n{seen}");
    }
    let status = machine.says(&format!("cat /proc/{pid}/status"));
    for wanted in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000000", "CapEff:\t0000000000000000"]
    {
        assert!(status.contains(wanted), "{wanted} is not in\n{status}");
    }
}

fn reloads_good_and_refuses_bad(machine: &Machine) {
    let before = machine.property("MainPID");
    machine.says("cp -p /etc/dues/dues.toml /etc/dues/good; sed -i 's/every = \"week\"/every = \"fortnight\"/' /etc/dues/dues.toml");
    machine.says("systemctl reload dues");
    machine.waits_until("it refuses", |m| m.property("StatusText").contains("new config refused"));
    machine.says("journalctl -u dues --no-pager | grep -q '/etc/dues/dues.toml:'");
    machine.says("cp -p /etc/dues/good /etc/dues/dues.toml; systemctl reload dues");
    machine.waits_until("it takes it", |m| !m.property("StatusText").contains("refused"));
    machine.says("journalctl -u dues --no-pager | grep -q 'the new config is in force'");
    assert_eq!((machine.property("MainPID"), machine.property("ActiveState")), (before, "active".to_owned()));
}

fn stops_in_flight(machine: &Machine, scene: &Scene) {
    slow(scene, 600);
    let charges = scene.ledger().len();
    let at = in_days(38);
    hand_over(machine, &at);
    machine.waits_until("money moves", |_| scene.ledger().len() > charges);
    machine.says("systemctl stop dues");
    assert_eq!(
        (machine.property("Result"), machine.property("ExecMainStatus")),
        ("success".into(), "0".into())
    );
    slow(scene, 0);
    machine.says("systemctl start dues");
    until_all_paid(machine, scene, 2, &at);
}

/// The process lives and its other threads go on, but its loop does not move: that alone must starve the watchdog.
fn is_killed_when_it_hangs(machine: &Machine) {
    let before = machine.property("MainPID");
    machine.says("touch /run/hang");
    machine.waits_until("the watchdog ends it", |m| {
        m.command("journalctl -u dues --no-pager | grep -q 'Watchdog timeout'").status.success()
    });
    machine.says("rm /run/hang");
    machine.waits_for_another(&before);
}

fn keeps_its_secret(machine: &Machine, scene: &Scene, also_read: &[&str]) {
    let key = scene.sandbox().secret_key();
    let everywhere = "systemctl show dues dues-run-now; systemctl status dues dues-run-now --no-pager; \
                      cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; \
                      journalctl --no-pager -o export";
    let said = machine.says(&format!("({everywhere}) || true"));
    for read in ["MainPID", "/usr/bin/dues", "__CURSOR"].iter().chain(also_read) {
        assert!(said.contains(*read), "{read}: not everything was read");
    }
    assert!(!said.contains(key), "the key can be seen");
}

/// Without the service: a run that was missed while the host was down is made when the timer starts.
fn runs_by_timer_too(machine: &Machine, scene: &Scene) {
    machine.says("systemctl stop dues");
    let charges = scene.ledger().len();
    let customer = scene.customers().swap_remove(0);
    machine.says(&format!(
        "runuser -u dues -- dues subscribe --config /etc/dues/now.toml --customer {customer} --plan weekly"
    ));
    machine.says(
        "mkdir -p /var/lib/systemd/timers; touch -d yesterday /var/lib/systemd/timers/stamp-dues-run-now.timer; \
         systemctl start dues-run-now.timer",
    );
    assert!(machine.says("systemctl list-timers --no-pager").contains("dues-run-now.service"));
    machine.waits_until("the timer's run has charged", |_| scene.ledger().len() > charges);
    machine.waits_until("it ends", |m| {
        m.says("systemctl show dues-run-now -P ActiveState").trim() == "inactive"
    });
    let result = machine.says("systemctl show dues-run-now -P Result");
    assert_eq!(
        result.trim(),
        "success",
        "{}",
        machine.says("journalctl -u dues-run-now --no-pager | tail -20")
    );
    assert_eq!(scene.ledger().len(), charges + 1, "the new subscription alone was due");
}
