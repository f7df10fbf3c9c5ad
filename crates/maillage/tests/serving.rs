//! A hub as an operator runs it: what its journal and its metrics are to the programs that read them.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

use serde_json::Value;

/// Each composition's amounts add up to such a number, in euros: nothing else in a journal looks like it.
const AMOUNTS: [(&str, &str, &str); 4] = [
    ("seul", "30864,25", "1234570"),
    ("couple", "31975,75", "1279030"),
    ("couple_enfants", "33086,25", "1323450"),
    ("monoparental", "34197,75", "1367910"),
];
const HOUSEHOLD: &str = "MENAGECANARI";

const SETTINGS: &str = r#"
[[source]]
pack = "ccas-activite"
table = "aides_facultatives"
period = "2025"
[source.read]
file = "aides.csv"
"#;

fn requests() -> String {
    let mut text = String::from("id_demande;id_menage;type_aide;decision;montant;type_menage;age\n");
    for (n, (composition, amount, _)) in AMOUNTS.iter().enumerate() {
        for household in 0..40 {
            let id = n * 1000 + household;
            writeln!(text, "D{id};{HOUSEHOLD}{id};energie;accord;{amount};{composition};44").expect("a string");
        }
    }
    text
}

fn maillage(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maillage"));
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "MAILLAGE_LOG_FORMAT", "RUST_LOG"] {
        command.env_remove(name);
    }
    let (role, rest) = arguments.split_first().expect("hub or node");
    command.arg(role).arg("--folder").arg(folder).args(rest);
    command
}

fn done(output: Output) -> String {
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    done(maillage(folder, arguments).output().expect("the command runs"))
}

/// The node's commands, and what they write for a machine.
fn node(folder: &Path, arguments: &[&str], journal: &mut String) -> Output {
    let mut command = maillage(folder, arguments);
    let output = command.args(["--log-format", "json"]).env("RUST_LOG", "debug").output().expect("runs");
    journal.push_str(std::str::from_utf8(&output.stderr).expect("UTF-8"));
    output
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").to_string()
}

/// A hub in a process of its own, ended with the test.
struct Running {
    child: Child,
    journal: Arc<Mutex<String>>,
    reading: Option<JoinHandle<()>>,
}

impl Running {
    /// Returns once it listens.
    fn start(folder: &Path) -> Self {
        let mut command = maillage(folder, &["hub", "run"]);
        command.args(["--log-format", "json"]).env("RUST_LOG", "debug").stderr(Stdio::piped());
        let mut child = command.spawn().expect("the hub starts");
        let lines = BufReader::new(child.stderr.take().expect("piped"));
        let journal = Arc::new(Mutex::new(String::new()));
        let (listening, listens) = mpsc::channel();
        let kept = Arc::clone(&journal);
        let reading = thread::spawn(move || {
            for line in lines.lines() {
                let line = line.expect("UTF-8");
                if line.contains("Centre à l’écoute") {
                    // Heard once; later nobody listens any more.
                    let _ = listening.send(());
                }
                let mut kept = kept.lock().expect("nobody panicked with it");
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let running = Self { child, journal, reading: Some(reading) };
        listens.recv().unwrap_or_else(|_| panic!("the hub ended: {}", running.journal.lock().expect("whole")));
        running
    }

    fn end(mut self) -> String {
        self.child.kill().expect("it ran until now");
        self.reading.take().expect("once").join().expect("no panic");
        self.journal.lock().expect("nobody panicked with it").clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, or to be ended now: neither may outlive the test.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connects");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("reads");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    body.to_owned()
}

/// Where `promtool` is installed; said where it is not.
fn checked_by_promtool(text: &str) {
    let promtool =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut promtool) = promtool else {
        eprintln!("promtool is not installed: the metrics are not checked by it");
        return;
    };
    promtool.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    let said = promtool.wait_with_output().expect("it ends");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

fn every_line_parses_and_tells_no_figure(journal: &str) -> Vec<Value> {
    let mut events = Vec::new();
    for line in journal.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        // What a library says to whoever looks for a fault may have no sentence; what operators read has.
        let sentence = (event["level"] != "DEBUG").then_some("message");
        for field in ["timestamp", "level", "target"].into_iter().chain(sentence) {
            assert!(event[field].as_str().is_some_and(|text| !text.is_empty()), "without {field}: {line}");
        }
        let bare: String = line.chars().filter(|sign| !sign.is_whitespace() && *sign != '_').collect();
        for (_, amount, sum) in AMOUNTS {
            let amount = amount.split_once(',').expect("a decimal").0;
            assert!(!bare.contains(sum) && !bare.contains(amount), "a figure: {line}");
        }
        assert!(!line.contains(HOUSEHOLD), "a row: {line}");
        events.push(event);
    }
    events
}

#[test]
fn the_journal_is_json_without_a_figure_and_the_metrics_are_what_prometheus_takes() {
    let root = tempfile::tempdir().expect("a folder");
    let (hub, commune) = (root.path().join("hub"), root.path().join("93008"));
    let (door, operations) = (free_address(), free_address());
    run(&hub, &["hub", "init", "--public-address", &door, "--listen", &door]);
    let settings = std::fs::read_to_string(hub.join("hub.toml")).expect("settings");
    let settings = settings.replace("\"127.0.0.1:7480\"", "\"\"").replace("127.0.0.1:9464", &operations);
    std::fs::write(hub.join("hub.toml"), settings).expect("writes");
    let running = Running::start(&hub);

    let invitation = run(&hub, &["hub", "invite", "--territory", "93008"]);
    run(&commune, &["node", "join", invitation.trim()]);
    std::fs::write(commune.join("node.toml"), SETTINGS).expect("writes");
    std::fs::write(commune.join("aides.csv"), requests()).expect("writes");
    let mut journal = String::new();
    let shown = done(node(&commune, &["node", "preview", "--all"], &mut journal));
    assert!(shown.contains("1\u{202f}234\u{202f}570"), "the figures are shown to the agent: {shown}");
    let (_, hash) = shown.rsplit_once("--preview ").expect("what to type next");
    let hash = hash.split_whitespace().next().expect("a hash");
    done(node(&commune, &["node", "approve", "--name", "Awa Diallo", "--preview", hash], &mut journal));
    done(node(&commune, &["node", "push"], &mut journal));
    run(&hub, &["hub", "revoke", "--territory", "93008"]);
    let refused = node(&commune, &["node", "preview"], &mut journal);
    assert!(refused.status.success(), "it shows what this machine knows");

    let metrics = get(&operations, "/metrics");
    for line in ["maillage_ready 1", "maillage_documents_total{kind=\"submission\",outcome=\"accepted\"} 1"] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
    checked_by_promtool(&metrics);

    let events = every_line_parses_and_tells_no_figure(&running.end());
    let said = |field: &str, text: &str| events.iter().any(|event| event[field] == text);
    for text in ["answered", "accepted", "call refused"] {
        assert!(said("message", text), "« {text} » is not in the journal");
    }
    assert!(said("reason", "NODE_REVOKED") && said("peer", "urn:maillage:node:93008"));
    let events = every_line_parses_and_tells_no_figure(&journal);
    assert!(events.iter().any(|event| event["message"].as_str().is_some_and(|text| text.contains("Envoi "))));
}
