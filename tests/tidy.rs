//! The house rules that no compiler checks, read off the sources:
//!
//! 1. a room (a top folder of `src/`) imports from lower floors only ([`FLOORS`]);
//! 2. every room stands in the table of floors and in `ARCHITECTURE.md`;
//! 3. a file fits in the head ([`LONGEST_FILE`]);
//! 4. each `unsafe` block and impl says why it is sound, on the architectures too whose files the
//!    linter does not see where it runs;
//! 5. each memory ordering that has a partner names it, or says what else it is for;
//! 6. the library does without let chains, which are younger than its minimum Rust version and which
//!    the linter, that knows the ages of std's functions, does not know;
//! 7. each `static` stands in `ARCHITECTURE.md`, and nothing else does in its table of them.
//!
//! Every rule is a function from text to complaints, and the tests at the end show that it can
//! complain.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/source.rs"]
mod source;

use source::{Path as ModulePath, Source};

/// Which room is on which floor, from the ground up. A room imports from lower floors; rooms on one
/// floor do not see each other, but for [`NEIGHBOURS`].
const FLOORS: &[(usize, &[&str])] = &[
    (0, &["sys", "util"]),
    (1, &["context", "stack", "timer"]),
    (2, &["task"]),
    (3, &["channel", "reactor", "sync", "unblock"]),
    (4, &["scheduler"]),
    (5, &["runtime", "io", "time"]),
    (6, &["thread", "coroutine", "net"]),
    (7, &["group", "fs", "os", "process", "signal"]),
];

/// Who may import whom on the same floor.
const NEIGHBOURS: &[(&str, &str)] = &[("util", "sys"), ("context", "stack"), ("sync", "channel")];

/// Exported macros that a room shows as its own: they lie at the root wherever they are written.
const MACROS: &[&str] = &["select", "select_biased"];

/// Lines.
const LONGEST_FILE: usize = 500;

/// How many lines above an `unsafe` or an ordering its comment may end.
const COMMENT_REACH: usize = 8;

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|&(floor, _)| floor)
}

/// Rule 1, for the file `file` (relative to `src/`).
fn imports_from_above(file: &str, text: &str) -> Vec<String> {
    let module = ModulePath::of_file(file);
    let Some(room) = module.room() else {
        return Vec::new(); // lib.rs may use everything.
    };
    let mut complaints = Vec::new();
    for (line, target) in Source::new(text).paths(&module) {
        if target == room || MACROS.contains(&&*target) || NEIGHBOURS.contains(&(room, &target)) {
            continue;
        }
        let Some(own_floor) = floor(room) else {
            continue; // Rule 2 complains.
        };
        let why = match floor(&target) {
            Some(floor) if floor < own_floor => continue,
            Some(floor) => format!("`{target}` is on floor {floor}, `{room}` on floor {own_floor}"),
            None => format!("`{target}` is no room of a lower floor; lib.rs is above them all"),
        };
        complaints.push(format!("src/{file}:{line}: {why}"));
    }
    complaints
}

/// Rule 2.
fn unlisted_rooms(rooms: &[String], architecture: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for room in rooms {
        if floor(room).is_none() {
            complaints.push(format!(
                "src/{room} is a new room: give it a floor in the table FLOORS of tests/tidy.rs and \
                 a place in ARCHITECTURE.md"
            ));
        }
        let named = architecture.match_indices(&format!("{room}/")).any(|(at, _)| {
            !architecture[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
        });
        if !named {
            complaints.push(format!("ARCHITECTURE.md does not name the room `{room}/`"));
        }
    }
    for listed in FLOORS.iter().flat_map(|(_, rooms)| *rooms) {
        if !rooms.iter().any(|room| room == listed) {
            complaints.push(format!("tests/tidy.rs lists a room that is gone: `{listed}`"));
        }
    }
    complaints
}

/// Rule 3.
fn too_long(file: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines <= LONGEST_FILE {
        return Vec::new();
    }
    vec![format!("{file}: {lines} lines; {LONGEST_FILE} are the most that fit in a head: split it")]
}

/// Rule 4.
fn unexplained_unsafe(file: &str, text: &str) -> Vec<String> {
    let source = Source::new(text);
    let mut complaints = Vec::new();
    for line in source.unsafe_blocks_and_impls() {
        if !source.comment_above(line, COMMENT_REACH, &["SAFETY:"]) {
            complaints.push(format!("src/{file}:{line}: `unsafe` without a `SAFETY:` comment"));
        }
    }
    complaints
}

/// Rule 5. A comment counts if it mentions the ordering or what it pairs with. Relaxed has no partner;
/// most of its comments are there all the same, but the first load of a loop speaks for itself.
fn unexplained_orderings(file: &str, text: &str) -> Vec<String> {
    let source = Source::new(text);
    let mut complaints = Vec::new();
    for (line, ordering) in source.orderings() {
        if !source.comment_above(line, COMMENT_REACH, &[ordering, "Pairs with", "pairs with"]) {
            complaints.push(format!("src/{file}:{line}: no comment says what {ordering} is for"));
        }
    }
    complaints
}

/// Rule 6. To be dropped when the minimum is 1.88.
fn let_chains(file: &str, text: &str) -> Vec<String> {
    let complain = |line| format!("src/{file}:{line}: a let chain needs Rust 1.88");
    Source::new(text).let_chains().into_iter().map(complain).collect()
}

/// Rule 7, for all files: their names and texts.
fn unlisted_statics(sources: &[(String, String)], architecture: &str) -> Vec<String> {
    let table = architecture.split("## Process-wide statics").nth(1).unwrap_or_default();
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows = || table.lines().filter(|line| line.starts_with("| `"));
    let mut complaints = Vec::new();
    let mut names = Vec::new();
    for (file, text) in sources {
        let module = ModulePath::of_file(file);
        let room = module.room().unwrap_or("lib.rs");
        for (line, name) in &Source::new(text).statics() {
            let (quoted, place) = (format!("`{name}`"), format!("`{room}/"));
            if !rows().any(|row| row.contains(&quoted) && row.contains(&place)) {
                complaints.push(format!(
                    "src/{file}:{line}: ARCHITECTURE.md does not list the static {quoted} of `{room}/`"
                ));
            }
            names.push(name.clone());
        }
    }
    for row in rows() {
        let listed = row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2);
        for gone in listed.filter(|&name| !names.iter().any(|known| known == name)) {
            // The assembly's, of which each version of the library has its own.
            if gone != "kettle_thread_word_*" {
                complaints.push(format!("ARCHITECTURE.md lists a static that is gone: `{gone}`"));
            }
        }
    }
    complaints
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder`, which may not exist, with one of `extensions`; its path relative to
/// `folder`, and its text.
fn files(folder: &Path, extensions: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut pending: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(directory) = pending.pop() {
        let Ok(entries) = fs::read_dir(&directory) else {
            continue;
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|it| extensions.iter().any(|&e| it == e)) {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    let sources = files(&root().join("src"), &["rs"]);
    assert!(sources.len() > FLOORS.len(), "src/ was not found: {sources:?}");
    sources
}

#[track_caller]
fn expect_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn rooms_import_from_lower_floors_only() {
    expect_none(sources().iter().flat_map(|(file, text)| imports_from_above(file, text)).collect());
}

#[test]
fn every_room_has_a_floor_and_a_place_in_the_architecture() {
    let mut rooms: Vec<String> = sources()
        .iter()
        .filter_map(|(file, _)| ModulePath::of_file(file).room().map(str::to_owned))
        .collect();
    rooms.dedup();
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md"))
        .expect("ARCHITECTURE.md is the map of the rooms");
    expect_none(unlisted_rooms(&rooms, &architecture));
}

#[test]
fn every_static_stands_in_the_architecture() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    expect_none(unlisted_statics(&sources(), &architecture));
}

#[test]
fn every_file_fits_in_the_head() {
    let mut complaints = Vec::new();
    for folder in ["src", "asm", "tests", "benches", "examples"] {
        for (file, text) in files(&root().join(folder), &["rs", "s", "S", "c", "h"]) {
            complaints.extend(too_long(&format!("{folder}/{file}"), &text));
        }
    }
    expect_none(complaints);
}

#[test]
fn every_unsafe_says_why_it_is_sound() {
    expect_none(sources().iter().flat_map(|(file, text)| unexplained_unsafe(file, text)).collect());
}

#[test]
fn every_ordering_names_its_partner() {
    expect_none(
        sources().iter().flat_map(|(file, text)| unexplained_orderings(file, text)).collect(),
    );
}

#[test]
fn the_library_does_without_let_chains() {
    expect_none(sources().iter().flat_map(|(file, text)| let_chains(file, text)).collect());
}

/// Each rule on made-up sources: that it complains, where, and that it does not complain too much.
mod the_rules {
    use super::*;

    /// The lines that rule 1 complains about.
    fn bad_imports(file: &str, text: &str) -> Vec<usize> {
        imports_from_above(file, text)
            .iter()
            .map(|complaint| complaint.split(':').nth(1).unwrap().parse().unwrap())
            .collect()
    }

    #[test]
    fn a_higher_floor_is_not_imported() {
        assert_eq!(bad_imports("task/state.rs", "\nuse crate::scheduler::Worker;\n"), [2]);
        assert_eq!(bad_imports("task/state.rs", "use crate::{sys, runtime};"), [1]);
        assert_eq!(bad_imports("sys/mod.rs", "pub use super::util::list as one;"), [1]);
        assert_eq!(bad_imports("task/a/b.rs", "use super::super::super::thread::Builder;"), [1]);
        assert_eq!(bad_imports("task/a.rs", "use super::{state, super::{sys, thread::X}};"), [1]);
        assert_eq!(bad_imports("task/a.rs", "use {self::x, super::super::runtime as r};"), [1]);
        assert_eq!(bad_imports("task/a.rs", "mod b {\n use super::super::super::runtime;\n}"), [2]);
        assert_eq!(bad_imports("task/a.rs", "mod b {}\nuse super::super::runtime;"), [2]);
    }

    #[test]
    fn a_higher_floor_is_not_named_in_passing_either() {
        let text = "fn f() {\n    crate::scheduler::yield_now();\n}";
        assert_eq!(bad_imports("task/park.rs", text), [2]);
        assert_eq!(bad_imports("task/park.rs", "type T = <crate::thread::X as Y>::Z;"), [1]);
        assert_eq!(
            bad_imports("task/park.rs", "macro_rules! m { () => { $crate::thread::x() } }"),
            [1]
        );
        assert_eq!(
            bad_imports(
                "task/park.rs",
                "macro_rules! m { () => { $crate::m!(); $crate::thread::m!() } }"
            ),
            [1]
        );
        assert_eq!(bad_imports("task/park.rs", "fn f() { super::super::runtime::x() }"), [1]);
    }

    #[test]
    fn a_room_does_not_see_its_neighbour() {
        assert_eq!(bad_imports("stack/mod.rs", "use crate::context::Context;"), [1]);
        assert_eq!(bad_imports("thread/mod.rs", "use crate::coroutine::Coroutine;"), [1]);
        assert_eq!(bad_imports("sys/mod.rs", "use crate::util::lock::Lock;"), [1]);
        assert!(bad_imports("util/mod.rs", "use crate::sys::futex;").is_empty());
    }

    #[test]
    fn the_facade_is_above_every_room() {
        assert_eq!(bad_imports("thread/mod.rs", "use crate::run;"), [1]);
        assert_eq!(bad_imports("thread/mod.rs", "use super::*;"), [1]);
        assert!(bad_imports("lib.rs", "pub use crate::thread::spawn;").is_empty());
    }

    #[test]
    fn what_a_room_may_see_is_not_complained_about() {
        let text = r###"
            //! See [`crate::thread`].
            use crate::task::{self, Task as T, state::*};
            use crate::{context::{Context, switch}, stack, sys::{self, futex}};
            use super::super::util::list;
            /// Like [`crate::runtime::Handle`]. /* crate::runtime::x
            pub(in crate::scheduler) fn f<'a>(c: &'a char) -> char {
                let s = "crate::thread::x"; let r = r#"" crate::thread::x "#;
                /* crate::thread::x /* nested */ crate::thread::x */
                super::worker::run(); self::f(); super::super::task::g();
                if *c == '"' { 'x' } else { '\'' } // crate::thread::x
            }
            #[cfg(test)]
            mod tests {
                use crate::thread::spawn;
                fn g() { if true { crate::runtime::x() } }
            }
        "###;
        assert_eq!(imports_from_above("scheduler/worker/run.rs", text), [""; 0]);
        let text = format!("{text}\nuse crate::runtime::Handle;");
        assert_eq!(imports_from_above("scheduler/worker/run.rs", &text).len(), 1);
    }

    #[test]
    fn a_new_room_is_asked_to_introduce_itself() {
        let mut rooms: Vec<String> =
            FLOORS.iter().flat_map(|(_, rooms)| *rooms).map(|room| (*room).to_owned()).collect();
        let mut architecture: String = rooms.iter().map(|room| format!("`{room}/` … ")).collect();
        assert_eq!(unlisted_rooms(&rooms, &architecture), [""; 0]);

        rooms.push("attic".to_owned());
        architecture.push_str("`attic/` a good place");
        let complaints = unlisted_rooms(&rooms, &architecture);
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(
            complaints[0].contains("tests/tidy.rs") && complaints[0].contains("ARCHITECTURE.md")
        );
    }

    #[test]
    fn a_room_missing_from_the_map_is_noticed() {
        let rooms: Vec<String> =
            FLOORS.iter().flat_map(|(_, rooms)| *rooms).map(|room| (*room).to_owned()).collect();
        let architecture: String =
            rooms[1..].iter().map(|room| format!("src/{room}/ ")).collect::<String>() + "notsys/";
        assert_eq!(
            unlisted_rooms(&rooms, &architecture),
            ["ARCHITECTURE.md does not name the room `sys/`"]
        );
        assert_eq!(unlisted_rooms(&rooms[1..], &architecture).len(), 1, "`sys` is gone");
    }

    #[test]
    fn a_static_that_is_not_listed_and_one_that_is_gone_are_noticed() {
        let text = "static ONE: u8 = 0;\nfn f(x: &'static str) { static mut TWO: u8 = 0; }\n// static NO: u8";
        let sources = [("task/a.rs".to_owned(), text.to_owned())];
        let map =
            |rows: &str| format!("`TWO` `task/`\n## Process-wide statics\n\n{rows}\n\n## Absent\n");
        let good = "| `ONE`, `TWO` (per thread) | `task/a` | x |";
        assert_eq!(unlisted_statics(&sources, &map(good)), [""; 0]);
        let complaints = unlisted_statics(&sources, &map("| `ONE` | `task/` | x |"));
        assert_eq!(complaints.len(), 1);
        assert!(complaints[0].starts_with("src/task/a.rs:2: "), "{complaints:?}");
        assert_eq!(unlisted_statics(&sources, &map("| `ONE`, `TWO` | `sync/` | x |")).len(), 2);
        let gone = format!("{good}\n| `THREE` | `task/` | x |");
        assert_eq!(
            unlisted_statics(&sources, &map(&gone)),
            ["ARCHITECTURE.md lists a static that is gone: `THREE`"]
        );
    }

    #[test]
    fn one_line_too_many_is_noticed() {
        assert!(too_long("x.rs", &"\n".repeat(LONGEST_FILE)).is_empty());
        assert_eq!(too_long("x.rs", &"\n".repeat(LONGEST_FILE + 1)).len(), 1);
    }

    #[test]
    fn an_unexplained_unsafe_is_noticed() {
        let complaints = |text: &str| unexplained_unsafe("x.rs", text).len();
        assert_eq!(complaints("fn f() { unsafe { g() } }"), 1);
        assert_eq!(complaints("// Safe enough.\nunsafe impl Send for X {}"), 1);
        assert_eq!(complaints(&format!("// SAFETY: x.\n{}unsafe {{}}", "x;\n".repeat(20))), 1);
        assert_eq!(complaints("let s = \"SAFETY: x\";\nunsafe { g() }"), 1);
        assert_eq!(
            complaints("// SAFETY: `g` has no conditions.\nlet x =\n    unsafe { g() };"),
            0
        );
        assert_eq!(complaints("/// unsafe {\nunsafe fn f();\nunsafe extern \"C\" {}"), 0);
        assert_eq!(complaints("#[cfg(test)]\nmod tests { fn f() { unsafe { g() } } }"), 0);
    }

    #[test]
    fn an_unexplained_ordering_is_noticed() {
        let complaints = |text: &str| unexplained_orderings("x.rs", text).len();
        assert_eq!(complaints("x.load(Ordering::Acquire);"), 1);
        assert_eq!(complaints("use x::Ordering::*;\nx.load(SeqCst);"), 1);
        assert_eq!(complaints("x.swap(1, Ordering::AcqRel);\n// AcqRel: too late."), 1);
        assert_eq!(complaints("// Release: for luck.\nx.load(Ordering::Acquire);"), 1);
        assert_eq!(complaints("x.swap(1, Ordering::AcqRel); // AcqRel: it hands over `x`."), 0);
        assert_eq!(complaints("// Pairs with the fence in `f`.\nfence(Ordering::SeqCst);"), 0);
        assert_eq!(complaints("x.load(Ordering::Relaxed);"), 0);
        assert_eq!(complaints("a.cmp(b) == cmp::Ordering::Less"), 0);
        assert_eq!(complaints("use std::sync::atomic::Ordering::{Acquire, Release};"), 0);
        assert_eq!(complaints("#[cfg(test)]\nmod tests { fn f() { x.load(SeqCst) } }"), 0);
    }

    #[test]
    fn a_let_chain_is_noticed() {
        let complaints = |text: &str| let_chains("x.rs", text).len();
        assert_eq!(complaints("if a && let Some(x) = b {}"), 1);
        assert_eq!(complaints("if let Some(x) = b\n    && x > 1 {}"), 1);
        assert_eq!(complaints("while let X { y } = f(|| { a() }) && b {}"), 1);
        assert_eq!(complaints("else if a && (b || c) && let Some(x) = d {}"), 1);
        assert_eq!(complaints("if let Some(x) = (a && b) { let y = c && d; }"), 0);
        assert_eq!(complaints("if a && b { let c = d; }"), 0);
        assert_eq!(complaints("a if b && c => d, _ => if let Some(x) = e {}"), 0);
        assert_eq!(complaints("if a { if let &&b = c {} }"), 0);
    }
}
