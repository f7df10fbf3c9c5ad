//! A real browser, driven over `WebDriver`.
//!
//! The protocol is JSON over HTTP, and half of what these tests ask (the console, the requests made, the size of the
//! screen) is chromedriver's own: one function sends it all.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Where `cargo xtask test` says that chromedriver is.
const CHROMEDRIVER: &str = "MAILLAGE_TEST_CHROMEDRIVER";
/// Where it says that axe-core is.
const AXE: &str = "MAILLAGE_TEST_AXE";

/// A window of Chromium; closed with this value.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    axe: String,
    _profile: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver takes its browser along.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// A fresh window, or `None` (said on stderr) where [`CHROMEDRIVER`] or [`AXE`] is not set.
    pub async fn open() -> Option<Self> {
        let (Ok(program), Ok(axe)) = (std::env::var(CHROMEDRIVER), std::env::var(AXE)) else {
            eprintln!("{CHROMEDRIVER} or {AXE} is not set: no page is looked at in a browser");
            return None;
        };
        let axe = std::fs::read_to_string(axe).expect("axe-core");
        let mut driver =
            Command::new(program).arg("--port=0").stdout(Stdio::piped()).spawn().expect("chromedriver starts");
        let said = std::io::BufReader::new(driver.stdout.take().expect("piped"));
        let port = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok())
            .expect("chromedriver says its port");
        let profile = tempfile::tempdir().expect("a temporary folder");
        let folder = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--window-size=1280,1000",
            &folder,
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let mut browser = Self { driver, port, session: String::new(), axe, _profile: profile };
        let opened = browser.send("/session", &wanted).await;
        opened["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        // What the window did by itself is not the pages' doing.
        browser.goto("about:blank").await;
        browser.requests().await;
        browser.console().await;
        Some(browser)
    }

    async fn send(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("chromedriver listens");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.expect("sends");
        // Chromedriver keeps the connection whatever it is asked.
        let mut stream = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let start = head.len();
            assert!(stream.read_line(&mut head).await.expect("answers") > 0, "{path}: {head}");
            if let Some((name, value)) = head[start..].split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.expect("its whole answer");
        let body = String::from_utf8(body).expect("UTF-8");
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}{body}");
        let mut body: Value = serde_json::from_str(&body).expect("JSON");
        body["value"].take()
    }

    async fn session(&self, command: &str, body: Value) -> Value {
        self.send(&format!("/session/{}/{command}", self.session), &body).await
    }

    /// Opens an address, and waits until it is there.
    pub async fn goto(&self, address: &str) {
        self.session("url", json!({ "url": address })).await;
    }

    /// What a script returns.
    pub async fn run(&self, script: &str) -> Value {
        self.session("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Presses a key on whatever has the focus.
    pub async fn press(&self, key: &str) {
        let keys = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.session("actions", json!({ "actions": [{ "type": "key", "id": "keys", "actions": keys }] })).await;
    }

    /// A screen of so many CSS pixels; zoom of 200 % is half of them at twice the density.
    pub async fn screen(&self, width: u32, height: u32, density: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": density, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size });
        self.session("goog/cdp/execute", command).await;
    }

    /// What axe finds wrong, in the rules of WCAG 2.1 A and AA, of good practice and of the RGAA; and how many rules
    /// found something right.
    pub async fn axe(&self) -> (Vec<String>, usize) {
        self.run(&self.axe).await;
        let script = "
            const done = arguments[arguments.length - 1];
            const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice', 'RGAAv4'];
            if (axe.getRules(['RGAAv4']).length < 20) done({ error: 'this axe knows no RGAA' });
            axe.run(document, { runOnly: { type: 'tag', values } }).then(found => done({
                passed: found.passes.length,
                wrong: found.violations.concat(found.incomplete.filter(one => one.id !== 'color-contrast')).map(one =>
                    one.id + ': ' + one.nodes.map(node => node.target.join(' ') + ' ' + node.html.slice(0, 160)).join(' | ')),
            }), error => done({ error: String(error) }));";
        let found = self.session("execute/async", json!({ "script": script, "args": [] })).await;
        assert!(found["error"].is_null(), "{found}");
        let wrong = found["wrong"].as_array().expect("a list").iter().map(|one| one.as_str().unwrap_or("?").to_owned());
        (wrong.collect(), found["passed"].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a number"))
    }

    /// What the console said since it was last asked.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.session("se/log", json!({ "type": "browser" })).await;
        entries.as_array().expect("a list").iter().map(ToString::to_string).collect()
    }

    /// Every address that was asked for since this was last asked.
    pub async fn requests(&self) -> Vec<String> {
        let entries = self.session("se/log", json!({ "type": "performance" })).await;
        let asked = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            let is_request = message["method"] == "Network.requestWillBeSent";
            is_request.then(|| message["params"]["request"]["url"].as_str().map(str::to_owned))?
        };
        entries.as_array().expect("a list").iter().filter_map(asked).collect()
    }
}
