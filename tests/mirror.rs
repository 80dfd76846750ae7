//! `docs/mirror.md` says of each stable path of the modules that kettle mirrors what kettle has for it. Here
//! it is checked: each signature is coerced, of ours and of std's, to the same type; what is re-exported is
//! std's own; and the page has a row for each of these, and says the same.
//!
//! A module is a file in `mirror/`, written with the macro [`mirror`], and a section of the page.

#![allow(clippy::incompatible_msrv, reason = "std's newer functions are named to be compared with")]

#[macro_use]
#[path = "mirror/table.rs"]
mod table;

#[path = "mirror/fs.rs"]
mod fs;
#[path = "mirror/io.rs"]
mod io;
#[path = "mirror/net.rs"]
mod net;
#[path = "mirror/process.rs"]
mod process;
#[path = "mirror/sync.rs"]
mod sync;
#[path = "mirror/thread.rs"]
mod thread;
#[path = "mirror/time.rs"]
mod time;
#[path = "mirror/unix.rs"]
mod unix;

use std::collections::BTreeMap;
use table::{Here, Row};

/// The sections of the page and the rows that are checked for each.
const MODULES: &[(&str, &[Row])] = &[
    ("std::fs", fs::ROWS),
    ("std::io", io::ROWS),
    ("std::net", net::ROWS),
    ("std::os::unix::net", unix::ROWS),
    ("std::process", process::ROWS),
    ("std::sync", sync::ROWS),
    ("std::thread", thread::ROWS),
    ("std::time", time::ROWS),
];

const PAGE: &str = include_str!("../docs/mirror.md");

/// What a section of the page says: of each path, what kettle has for it.
fn section<'a>(page: &'a str, name: &str) -> BTreeMap<&'a str, &'a str> {
    let mut rows = BTreeMap::new();
    let heading = format!("## {name}");
    let lines = page.lines().skip_while(|line| *line != heading).skip(1);
    for line in lines.take_while(|line| !line.starts_with("## ")) {
        let Some(rest) = line.strip_prefix("| `") else {
            continue;
        };
        let (path, rest) = rest.split_once("` | ").expect("a path in backticks, then what is here");
        let (here, _) = rest.split_once(" |").expect("what is here, then what differs");
        assert!(rows.insert(path, here).is_none(), "{path} stands in {name} twice");
    }
    rows
}

/// Where the page and what is checked differ.
fn differences(page: &str, name: &str, rows: &[Row]) -> Vec<String> {
    let mut said = section(page, name);
    let mut complaints = Vec::new();
    for row in rows {
        let here = row.here.word();
        match said.remove(row.path) {
            Some(word) if word == here => {}
            Some(word) => complaints.push(format!("{}: {here}, the page says {word}", row.path)),
            None => complaints.push(format!("the page lacks: | `{}` | {here} | |", row.path)),
        }
    }
    complaints.extend(said.keys().map(|path| format!("{path}: on the page, and not checked")));
    complaints
}

#[test]
fn the_page_says_what_is_so() {
    let complaints: Vec<_> = MODULES
        .iter()
        .flat_map(|(name, rows)| {
            assert!(rows.len() > 5, "{name} is checked in earnest");
            differences(PAGE, name, rows)
        })
        .collect();
    assert!(complaints.is_empty(), "docs/mirror.md:\n{}\n", complaints.join("\n"));
}

#[test]
fn a_page_that_says_something_else_is_noticed() {
    let rows = [
        Row { path: "fs::read", here: Here::Same },
        Row { path: "fs::write", here: Here::Absent },
        Row { path: "fs::copy", here: Here::Reexported },
    ];
    let page = "\n## std::fs\n\n| path | here | what differs |\n| --- | --- | --- |\n| `fs::read` | same | |\n\
                | `fs::write` | same | |\n| `fs::gone` | ours | it |\n## std::io\n| `fs::copy` | same | |\n";
    let found = differences(page, "std::fs", &rows);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].contains("fs::write: absent, the page says same"));
    assert!(found[1].contains("| `fs::copy` | re-exported | |"));
    assert!(found[2].contains("fs::gone"));
}
