//! The command line.

use kettle::thread;

pub(crate) const HELP: &str = "\
Parks a million coroutines at once, says what each costs, then wakes and joins them all.

  --count N        how many coroutines (1000000)
  --stack-size B   bytes of stack for each, of which only what it touches is used (1048576)
  --workers N      worker threads (one for each core)
  --depth B        bytes of stack that each really uses before it parks (0)
  --format         each calls format! before it parks
  --json           ends with a line of JSON for programs; `count` says how many were reached
  --quiet          no progress bar
  --help           this text

Exit code: 0 if all were parked, 1 if something gave out before (memory, most likely), 2 for options
that cannot be.";

/// What a coroutine needs beside `--depth`: for its first frames, and for parking.
const STACK_RESERVE: usize = 16 << 10;

/// What was asked for; see [`HELP`].
pub(crate) struct Options {
    pub(crate) count: usize,
    pub(crate) stack_size: usize,
    pub(crate) workers: usize,
    pub(crate) depth: usize,
    pub(crate) format: bool,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

impl Options {
    /// None if only the help is wanted.
    pub(crate) fn parse() -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let mut options = Self {
            count: 1_000_000,
            stack_size: 1 << 20,
            workers: thread::available_parallelism().map_or(1, usize::from),
            depth: 0,
            format: false,
            json: false,
            quiet: false,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("count") => options.count = parser.value()?.parse()?,
                Long("stack-size") => options.stack_size = parser.value()?.parse()?,
                Long("workers") => options.workers = parser.value()?.parse()?,
                Long("depth") => options.depth = parser.value()?.parse()?,
                Long("format") => options.format = true,
                Long("json") => options.json = true,
                Long("quiet") => options.quiet = true,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        let Self { count, stack_size, depth, .. } = options;
        if count == 0 {
            return Err("--count 0: there has to be at least one coroutine".into());
        }
        if depth > 0 && depth.saturating_add(STACK_RESERVE) > stack_size {
            return Err(format!(
                "--depth {depth} does not fit a stack of {stack_size} bytes; \
                 choose a --stack-size of at least {}",
                depth.saturating_add(STACK_RESERVE)
            )
            .into());
        }
        Ok(Some(options))
    }
}
