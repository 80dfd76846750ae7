//! The examples that serve, started as programs and talked to from outside. Each server is a child: this program
//! again.

#[path = "support/child.rs"]
#[allow(dead_code, reason = "each program uses a part")]
mod child;
#[path = "../examples/echo.rs"]
#[allow(dead_code, reason = "a program has a main")]
mod echo;
#[path = "../examples/four_kettles.rs"]
#[allow(dead_code, reason = "a program has a main")]
mod four_kettles;
#[path = "examples_io/four_kettles.rs"]
mod four_kettles_tests;
#[path = "../examples/http.rs"]
#[allow(dead_code, reason = "a program has a main")]
mod http;
#[path = "examples_io/http.rs"]
mod http_tests;
#[path = "../examples/proxy.rs"]
#[allow(dead_code, reason = "a program has a main")]
mod proxy;
#[path = "examples_io/proxy.rs"]
mod proxy_tests;
#[path = "support/server.rs"]
mod server;
#[allow(dead_code, reason = "each program uses a part")]
mod support;

use child::{child, scenario};
use server::Server;
use std::process::{ExitCode, Output};

/// In a child: the example that the scenario's first word names, with the others for arguments.
fn play(scenario: &str) -> ! {
    let mut words = scenario.split(' ');
    let name = words.next();
    let arguments = lexopt::Parser::from_args(words);
    let code = match name {
        Some("echo") => echo::run(arguments),
        Some("four_kettles") => four_kettles::run(arguments, |way| {
            child(SERVE, &format!("four_kettles --serve {way} --listen 127.0.0.1:0"))
        }),
        Some("http") => http::run(arguments),
        Some("proxy") => proxy::run(arguments),
        other => panic!("there is no example {other:?}"),
    };
    std::process::exit(i32::from(code != ExitCode::SUCCESS));
}

/// The test whose children are servers.
const SERVE: &str = "serves_if_it_is_told_to";

#[test]
fn serves_if_it_is_told_to() {
    if let Some(scenario) = scenario() {
        play(&scenario);
    }
}

/// An example that serves, at a port of its own.
fn serve(arguments: &str) -> Server {
    Server::start(SERVE, arguments)
}

#[test]
fn each_says_what_it_can_and_refuses_what_it_cannot() {
    let output = |arguments: &str| child(SERVE, arguments).output().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    for (name, needs) in
        [("http", ""), ("proxy", " --to 127.0.0.1:1"), ("four_kettles", " --serve threads")]
    {
        let help: Output = output(&format!("{name} --help"));
        assert!(help.status.success());
        assert!(String::from_utf8_lossy(&help.stdout).contains("--listen ADDR"));
        let nonsense = output(&format!("{name} --nonsense"));
        assert!(!nonsense.status.success());
        assert!(String::from_utf8_lossy(&nonsense.stderr).contains("--nonsense"));
        let refused = output(&format!("{name} --listen {taken}{needs}"));
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains("in use"), "{refused:?}");
    }
    for (arguments, why) in [("proxy", "--to ADDR"), ("proxy --to 1.2.3.4:5 --buffer 0", "room")] {
        let refused = output(arguments);
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains(why), "{refused:?}");
    }
}
