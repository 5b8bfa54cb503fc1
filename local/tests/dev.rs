//! `cargo dev`, as a person starts it.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at what it does not expect"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn dev(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey-dev"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A running `cargo dev`, ended with the test.
struct Running {
    child: Child,
    url: String,
    greeting: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = dev(arguments).spawn().unwrap();
        let mut greeting = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        greeting.read_line(&mut line).unwrap();
        let url = line
            .trim_end()
            .strip_prefix("ready ")
            .expect("a ready line")
            .to_owned();
        Self {
            child,
            url,
            greeting,
        }
    }

    fn interrupt(&mut self) -> Duration {
        let started = Instant::now();
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success());
        started.elapsed()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Fails the test unless it ended with one line that says all of this.
fn expect_one_line(output: &Output, parts: &[&str]) {
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "{said} does not say {part}");
    }
}

#[tokio::test]
async fn it_says_where_it_answers_and_answers_there() {
    let mut running = Running::start(&["--port", "0", "--data", "memory"]);
    let health = reqwest::get(format!("{}/health", running.url))
        .await
        .unwrap();
    assert_eq!(health.text().await.unwrap(), r#"{"status":"ok"}"#);
    let inbox = reqwest::get(format!("{}/_inbox", running.url))
        .await
        .unwrap();
    assert_eq!(inbox.status(), 200);
    running.interrupt();
    let mut rest = String::new();
    while running.greeting.read_line(&mut rest).unwrap() > 0 {}
    for part in ["pk_local", "sk_local", "/_inbox", "signup-email", "Ctrl-C"] {
        assert!(rest.contains(part), "{rest} does not tell {part}");
    }
}

#[tokio::test]
async fn what_is_on_disk_is_there_after_a_restart() {
    let folder = folder("restart");
    let arguments = ["--port", "0", "--data", folder.to_str().unwrap()];
    let server = r#"{"email":"ada@example.com","password":"correct horse","userData":{"emailVerified":true}}"#;
    let post = |url: String, path: &str, body: &str| {
        let request = reqwest::Client::new().post(format!("{url}{path}"));
        let request = request
            .header("authorization", "sk_local")
            .header("content-type", "application/json");
        request.body(body.to_owned()).send()
    };
    let mut running = Running::start(&arguments);
    let signed_up = post(running.url.clone(), "/agnost/auth/signup-email", server)
        .await
        .unwrap();
    assert_eq!(signed_up.status(), 200);
    let taken = running.interrupt();
    assert!(taken < Duration::from_secs(5), "it took {taken:?} to stop");

    let running = Running::start(&arguments);
    let body = r#"{"email":"ada@example.com","password":"correct horse"}"#;
    let signed_in = post(running.url.clone(), "/agnost/auth/signin-email", body)
        .await
        .unwrap();
    assert_eq!(signed_in.status(), 200);
}

#[tokio::test]
async fn services_alone_say_what_a_function_needs_in_its_environment() {
    let mut running = Running::start(&["--port", "0", "--data", "memory", "--services-only"]);
    let inbox = reqwest::get(format!("{}/_inbox/messages", running.url))
        .await
        .unwrap();
    assert_eq!(inbox.text().await.unwrap(), "[]");
    running.interrupt();
    let mut rest = String::new();
    while running.greeting.read_line(&mut rest).unwrap() > 0 {}
    for name in [
        "LATCHKEY_DEPLOYMENT=",
        "AWS_REGION=",
        "AWS_ENDPOINT_URL=http",
        "AWS_ENDPOINT_URL_DYNAMODB=http",
    ] {
        assert!(
            rest.lines().any(|line| line.starts_with(name)),
            "{rest} does not tell {name}"
        );
    }
}

#[test]
fn a_taken_port_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = dev(&["--port", &port, "--data", "memory"])
        .output()
        .unwrap();
    expect_one_line(&output, &[&port, "--port"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_one_clear_line() {
    let folder = folder("unwritable");
    let file = folder.join("file");
    fs::write(&file, "no folder").unwrap();
    let below = file.join("data");
    let output = dev(&["--port", "0", "--data", below.to_str().unwrap()])
        .output()
        .unwrap();
    expect_one_line(&output, &[below.to_str().unwrap()]);
}

#[test]
fn a_bad_settings_file_is_one_clear_line_that_names_the_field() {
    let folder = folder("settings");
    let file = folder.join("settings.json");
    for (text, part) in [
        ("{ not JSON", "settings.json"),
        (r#"{"colour":"red"}"#, "colour"),
        (
            r#"{"email":{"from_address":"nobody"}}"#,
            "email.from_address",
        ),
        (
            r#"{"redirect_urls":["https://*.com/"]}"#,
            "redirect_urls[0]",
        ),
        (
            r#"{"templates":{"confirm_email":{"subject":"{{user.pet}}","html":"x","text":"x"}}}"#,
            "{{user.pet}}",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let output = dev(&[
            "--port",
            "0",
            "--data",
            "memory",
            "--settings",
            file.to_str().unwrap(),
        ])
        .output()
        .unwrap();
        expect_one_line(&output, &[part]);
    }
    let missing = folder.join("missing.json");
    let output = dev(&[
        "--port",
        "0",
        "--data",
        "memory",
        "--settings",
        missing.to_str().unwrap(),
    ])
    .output()
    .unwrap();
    expect_one_line(&output, &["missing.json"]);
}
