//! Letters to a real mail server, which the test starts and stops.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::words::{messages, scene, send};
use crate::harness::{AT, PLANS, Scene};

const SERVER: &str = "aiosmtpd==1.4.6";

/// A Python that has the mail server, made once under the build directory. A machine where it cannot be installed
/// fails these tests: the proof was not made.
fn python() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mail").join("aiosmtpd-1.4.6");
    let python = home.join("bin/python");
    // Several tests come here at once, each in a process of its own: the first makes it, the others wait.
    std::fs::create_dir_all(home.parent().expect("a folder")).expect("a folder");
    let lock = std::fs::File::create(home.with_extension("lock")).expect("a lock");
    lock.lock().expect("locked");
    if !home.join("installed").exists() {
        must(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
        must(Command::new(home.join("bin/pip")).args(["install", "--quiet", SERVER]));
        std::fs::write(home.join("installed"), SERVER).expect("a mark");
    }
    python
}

fn must(command: &mut Command) {
    let output = command.output().unwrap_or_else(|why| panic!("cannot run {command:?}: {why}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The mail server; stopped by its own handle.
struct MailServer {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl MailServer {
    fn start(password: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server.py");
        let mut command = Command::new(python());
        command.arg(script).arg(folder.path()).args(password);
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the mail server starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its stdout")).read_line(&mut line).expect("its port");
        let port = line.trim().parse().unwrap_or_else(|why| panic!("{why}: {line:?}"));
        Self { process, folder, port }
    }

    /// Every letter, as it came over the wire, by the order of coming.
    fn letters(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = std::fs::read_dir(self.folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .map(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name[4..].to_owned(), std::fs::read_to_string(path).expect("a letter"))
            })
            .collect();
        all.sort();
        all
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A scene whose letters go to that server; `more` follows in `[notify.email]`.
fn writing(port: u16, more: &str) -> Scene {
    let notify = format!(
        "[notify]\nmerchant = \"Example Shop\"\nsupport = \"help@shop.test\"\n\n[notify.email]\nhost = \"127.0.0.1\"\n\
         port = {port}\ntls = \"none\"\nfrom = \"Example Shop <billing@shop.test>\"\nreply_to = \"help@shop.test\"\n\
         events = [\"invoice_paid\", \"doubt_needs_person\"]\n{more}\n"
    );
    scene(&[PLANS, &notify])
}

/// A customer of the scene is reached there, and reads that language.
fn reached(scene: &Scene, who: &str, email: &str, language: &str) {
    let body = json!({"email": email, "metadata": {"language": language}});
    scene.ask("PATCH", &format!("/customers/{who}"), scene.sandbox().secret_key(), &body);
}

fn bill(scene: &Scene, people: &[(&str, &str, &str)]) {
    let who = scene.customers();
    let mut rows = vec!["id,customer,plan,starts".to_owned()];
    for ((id, email, language), who) in people.iter().zip(&who) {
        reached(scene, who, email, language);
        rows.push(format!("{id},{who},monthly,2030-11-15"));
    }
    scene.import(&(rows.join("\n") + "\n"));
    scene.run_at(AT).expect(0);
}

/// The lines of a letter's head, unfolded.
fn head(letter: &str) -> Vec<String> {
    let head = letter.split("\r\n\r\n").next().unwrap_or_default();
    head.replace("\r\n ", " ").replace("\r\n\t", " ").lines().map(str::to_owned).collect()
}

fn field(letter: &str, name: &str) -> String {
    let found =
        head(letter).into_iter().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
    found.unwrap_or_else(|| panic!("no {name} in:\n{letter}"))
}

#[test]
fn a_receipt_is_a_whole_letter_in_the_customers_language() {
    let server = MailServer::start(None);
    let scene = writing(server.port, "");
    bill(&scene, &[("may", "may@shop.test", "en"), ("ron", "ron@shop.test", "th")]);
    assert_eq!(send(&scene)["sent"], 2);
    let letters = server.letters();
    assert_eq!(
        letters.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(),
        ["may@shop.test", "ron@shop.test"]
    );
    let (english, thai) = (&letters[0].1, &letters[1].1);
    assert_eq!(field(english, "From"), "\"Example Shop\" <billing@shop.test>");
    assert_eq!(
        (field(english, "To"), field(english, "Reply-To")),
        ("may@shop.test".into(), "help@shop.test".into())
    );
    assert!(field(english, "Message-ID").ends_with("@shop.test>") && !field(english, "Date").is_empty());
    assert!(field(english, "Content-Type").starts_with("multipart/alternative"));
    assert!(english.contains("text/plain") && english.contains("text/html") && english.contains("990.00"));
    assert_ne!(field(english, "Subject"), field(thai, "Subject"));
    assert!(field(thai, "Subject").starts_with("=?utf-8?"), "{}", field(thai, "Subject"));
    // The book never learns where they live.
    let book = std::fs::read(scene.path("dues.db")).unwrap();
    let text =
        String::from_utf8_lossy(&book).into_owned() + &scene.dues(&["notify", "list", "--json"]).stdout;
    assert!(!text.contains("may@shop.test"));
}

#[test]
fn a_receiver_who_is_gone_is_given_up_and_one_who_is_busy_waits() {
    let server = MailServer::start(None);
    let scene = writing(server.port, "");
    bill(
        &scene,
        &[("may", "gone@shop.test", "en"), ("ron", "busy@shop.test", "en"), ("sue", "sue@shop.test", "en")],
    );
    let sent = send(&scene);
    assert_eq!(
        (&sent["sent"], &sent["refused"], &sent["failed"]),
        (&json!(1), &json!(1), &json!(1)),
        "{sent}"
    );
    assert_eq!(
        messages(&scene),
        [
            "invoice_paid/may.0 email given_up",
            "invoice_paid/ron.0 email waiting",
            "invoice_paid/sue.0 email sent"
        ]
    );
    let rows = scene.dues(&["notify", "list", "--json"]).expect(0).rows();
    let why = rows.iter().find(|row| row["state"] == "given_up").unwrap()["why"].as_str().unwrap();
    assert!(why.contains("550") && why.contains("(the address)") && !why.contains("gone@"), "{why}");
}

#[test]
fn who_has_no_address_need_not_be_told() {
    let server = MailServer::start(None);
    let scene = writing(server.port, "");
    let who = scene.customers().remove(0);
    scene.ask("PATCH", &format!("/customers/{who}"), scene.sandbox().secret_key(), &json!({"email": ""}));
    scene.import(&format!("id,customer,plan,starts\nmay,{who},monthly,2030-11-15\n"));
    scene.run_at(AT).expect(0);
    send(&scene);
    let rows = scene.dues(&["notify", "list", "--json"]).expect(0).rows();
    assert_eq!(rows[0]["state"], "moot", "{rows:?}");
    assert!(rows[0]["why"].as_str().unwrap().contains("no address"), "{rows:?}");
}

#[test]
fn a_password_opens_the_server_and_a_wrong_one_gives_no_letter_up() {
    let server = MailServer::start(Some("open-sesame"));
    for (password, state) in [("open-sesame", "sent"), ("wrong", "waiting")] {
        let scene = writing(server.port, "user = \"billing\"\npassword_file = \"mail.password\"\n");
        scene.write_secret("mail.password", &format!("{password}\n"));
        bill(&scene, &[("may", "may@shop.test", "en")]);
        send(&scene);
        assert_eq!(messages(&scene), [format!("invoice_paid/may.0 email {state}")]);
    }
    let scene = writing(server.port, "user = \"billing\"\npassword_file = \"mail.password\"\n");
    scene.write("mail.password", "open-sesame\n");
    scene.dues(&["plans", "apply"]).expect(0);
    scene.set_mode("mail.password", 0o644);
    let refused = scene.dues(&["notify", "send"]).expect(2);
    assert!(refused.stderr.contains("chmod 600") && !refused.stderr.contains("sesame"), "{}", refused.stderr);
}

#[test]
fn a_server_that_never_answers_is_left_at_the_deadline() {
    let server = MailServer::start(None);
    let scene = writing(server.port, "timeout = \"500ms\"\n");
    bill(&scene, &[("may", "slow@shop.test", "en")]);
    assert_eq!(send(&scene)["failed"], 1);
    assert_eq!(messages(&scene), ["invoice_paid/may.0 email waiting"]);
}

#[test]
fn nights_are_quiet_where_the_customer_lives() {
    let server = MailServer::start(None);
    let scene = writing(server.port, "");
    let config = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Asia/Bangkok").unwrap()).time();
    let from = now.wrapping_sub(jiff::ToSpan::hours(1)).strftime("%H:%M").to_string();
    let to = now.wrapping_add(jiff::ToSpan::hours(2)).strftime("%H:%M").to_string();
    scene.write("dues.toml", &config.replace("[notify]\n", &format!("[notify]\nquiet = \"{from}-{to}\"\n")));
    bill(&scene, &[("may", "may@shop.test", "en")]);
    let sent = send(&scene);
    assert_eq!((&sent["sent"], &sent["waiting"]), (&json!(0), &json!(1)), "{sent}");
    assert!(server.letters().is_empty());
    let rows = scene.dues(&["notify", "list", "--json"]).expect(0).rows();
    assert_eq!(rows[0]["tries"], 0, "it was not tried");
}
