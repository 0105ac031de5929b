//! [`Browser`] drives a headless Chromium over the pipes of its debugging protocol: it opens pages, moves the mouse, evaluates
//! scripts and takes pictures.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

/// The longest time that the browser may take for anything.
const PATIENCE: Duration = Duration::from_mins(1);

/// A page in a browser of its own.
pub(crate) struct Browser {
    process: Child,
    orders: File,
    answers: Receiver<Value>,
    last_id: u64,
    session: String,
    /// Lines of the page's console, and exceptions.
    pub(crate) console: Vec<String>,
    profile: tempfile::TempDir,
}

/// The name of an installed browser. Tests that call it are ignored where the build found none.
fn installed() -> &'static str {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    found.expect("no browser: install Chromium")
}

impl Browser {
    pub(crate) fn start() -> Self {
        let name = installed();
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let [orders, answers] = ["orders", "answers"].map(|name| profile.path().join(name));
        let made = Command::new("mkfifo").args([&orders, &answers]).status().expect("mkfifo runs");
        assert!(made.success(), "no pipes");
        // The browser reads orders from descriptor 3 and answers on 4.
        let script = "exec \"$0\" \"$@\" 3<\"$ORDERS\" 4>\"$ANSWERS\" 2>/dev/null >/dev/null";
        let process = Command::new("sh")
            .args(["-c", script, name, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
            .args(["--disable-dev-shm-usage", "--enable-unsafe-swiftshader", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .env("ORDERS", &orders)
            .env("ANSWERS", &answers)
            .spawn()
            .expect("a shell starts");
        // Opening a pipe waits for its other end, in the order of the script.
        let orders = File::options().write(true).open(&orders).expect("a pipe to the browser");
        let reader = BufReader::new(File::open(&answers).expect("a pipe from the browser"));
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for message in reader.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser =
            Self { process, orders, answers, last_id: 0, session: String::new(), console: vec![], profile };
        let target = browser.order("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.order("Target.attachToTarget", &attach);
        browser.session = session["sessionId"].as_str().expect("a session").to_string();
        browser.order("Runtime.enable", &json!({}));
        browser.order("Log.enable", &json!({}));
        browser.order("Page.enable", &json!({}));
        browser.resize(1280, 900);
        browser
    }

    /// Opens a page and waits until it is drawn.
    pub(crate) fn open(&mut self, page: &Path) {
        self.console.clear();
        self.order("Page.navigate", &json!({ "url": format!("file://{}", page.display()) }));
        self.wait("document.readyState === 'complete' && document.documentElement.dataset.drawn === 'true'");
    }

    /// Sends a command, waits for its result.
    pub(crate) fn order(&mut self, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        write!(self.orders, "{message}\0").expect("the browser listens");
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let answer = self.answers.recv_timeout(left).unwrap_or_else(|_| panic!("no answer to {message}"));
            if answer["id"] == self.last_id {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.note(&answer);
        }
    }

    /// Keeps errors and warnings of the page.
    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        match event["method"].as_str() {
            Some("Runtime.consoleAPICalled") => self.console.push(params["args"].to_string()),
            Some("Runtime.exceptionThrown") => self.console.push(params["exceptionDetails"].to_string()),
            // A software driver's remarks on its speed are not about the page.
            Some("Log.entryAdded") if params["entry"]["source"] != "rendering" => {
                self.console.push(params["entry"].to_string());
            }
            _ => {}
        }
    }

    /// Evaluates an expression in the page.
    pub(crate) fn ask(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.order("Runtime.evaluate", &params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub(crate) fn wait(&mut self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        while self.ask(expression) != true {
            assert!(Instant::now() < until, "never true: {expression}; {:?}", self.console);
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Takes a picture of the window, as PNG.
    pub(crate) fn picture(&mut self) -> Vec<u8> {
        let picture = self.order("Page.captureScreenshot", &json!({ "format": "png" }));
        base64::engine::general_purpose::STANDARD
            .decode(picture["data"].as_str().expect("a picture"))
            .expect("a picture")
    }

    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.order("Emulation.setDeviceMetricsOverride", &size);
    }

    /// The middle of the first element of a selector, scrolled into view.
    pub(crate) fn place(&mut self, selector: &str) -> (f64, f64) {
        let middle = self.ask(&format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{ block: 'center' }}); \
             const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()",
            json!(selector)
        ));
        (middle[0].as_f64().expect("a place"), middle[1].as_f64().expect("a place"))
    }

    pub(crate) fn mouse(&mut self, kind: &str, (x, y): (f64, f64)) {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        let event = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": 1 });
        self.order("Input.dispatchMouseEvent", &event);
    }

    pub(crate) fn hover(&mut self, place: (f64, f64)) {
        // The mouse moves in two steps, since a real one comes from somewhere.
        self.mouse("mouseMoved", (place.0 - 3.0, place.1 - 2.0));
        self.mouse("mouseMoved", place);
    }

    pub(crate) fn click(&mut self, place: (f64, f64)) {
        self.hover(place);
        self.mouse("mousePressed", place);
        self.mouse("mouseReleased", place);
    }

    /// Files that the page saves from now on land here.
    pub(crate) fn downloads(&mut self) -> std::path::PathBuf {
        let folder = self.profile.path().join("downloads");
        let params = json!({ "behavior": "allow", "downloadPath": folder, "eventsEnabled": false });
        self.order("Browser.setDownloadBehavior", &params);
        folder
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
