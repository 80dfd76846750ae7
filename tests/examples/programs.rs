//! The examples' own sources, as modules, and their names.

use std::process::ExitCode;

macro_rules! programs {
    ($($name:ident $file:literal),* $(,)?) => {
        $(
            #[path = $file]
            #[allow(dead_code, reason = "a program has a main")]
            mod $name;
        )*

        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Runs the example of this name to its end, for its exit code.
        pub(crate) fn run(name: &str, arguments: lexopt::Parser) -> i32 {
            let code = match name {
                $(stringify!($name) => $name::run(arguments),)*
                _ => panic!("there is no example {name}"),
            };
            // What a code is, it tells nobody.
            (0..=255_u8).find(|&number| code == ExitCode::from(number)).map_or(255, i32::from)
        }
    };
}

programs! {
    pipeline "../../examples/pipeline.rs",
    actors "../../examples/actors.rs",
    skynet "../../examples/skynet.rs",
    parallel_map "../../examples/parallel_map.rs",
    dining "../../examples/dining.rs",
    chat "../../examples/chat.rs",
    crawl "../../examples/crawl.rs",
}
