//! [`Command`].

use super::child::Child;
use crate::unblock::{self, Pool, runs_in_place};
use core::fmt;
use core::time::Duration;
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{CommandArgs, CommandEnvs, ExitStatus, Output, Stdio};
use std::sync::OnceLock;

/// How many processes may be started at the same time.
const STARTERS: usize = 4;

/// The threads that start processes; see the top of the room.
fn starters() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| {
        let builder = unblock::Builder::new().threads(STARTERS).keep_alive(Duration::MAX);
        builder.name("kettle-starter").build().expect("the settings are right")
    })
}

/// How to start a process: the mirror of [`std::process::Command`], with the methods of
/// [`CommandExt`], a trait that std alone can implement.
pub struct Command {
    command: std::process::Command,
    /// Which of the standard streams the user has said something of.
    streams: Streams,
}

#[derive(Clone, Copy, Default)]
struct Streams {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

impl Command {
    /// The program to start, as [`std::process::Command::new`].
    pub fn new<S: AsRef<OsStr>>(program: S) -> Self {
        Self { command: std::process::Command::new(program), streams: Streams::default() }
    }

    /// Another argument.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Self {
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub fn env<K, V>(&mut self, key: K, val: V) -> &mut Self
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.command.env(key, val);
        self
    }

    /// Sets variables of its environment.
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.command.envs(vars);
        self
    }

    /// Takes a variable out of its environment.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Self {
        self.command.env_remove(key);
        self
    }

    /// Starts from an empty environment.
    pub fn env_clear(&mut self) -> &mut Self {
        self.command.env_clear();
        self
    }

    /// Where it starts.
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Self {
        self.command.current_dir(dir);
        self
    }

    /// What it reads.
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Self {
        self.command.stdin(cfg);
        self.streams.stdin = true;
        self
    }

    /// Where it writes to.
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Self {
        self.command.stdout(cfg);
        self.streams.stdout = true;
        self
    }

    /// Where it complains.
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Self {
        self.command.stderr(cfg);
        self.streams.stderr = true;
        self
    }

    /// Starts it, as [`std::process::Command::spawn`]. A cancellation point before it begins.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn spawn(&mut self) -> io::Result<Child> {
        let command = &mut self.command;
        if runs_in_place() { command.spawn() } else { starters().run(|| command.spawn()) }
            .and_then(Child::new)
    }

    /// Starts it and waits for its end and for all that it writes, as
    /// [`std::process::Command::output`]. A cancellation point.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn output(&mut self) -> io::Result<Output> {
        // What nobody has said anything of is otherwise for this than for the others.
        let Streams { stdin, stdout, stderr } = self.streams;
        self.unsaid(stdin, stdout, stderr, Stdio::null, Stdio::piped);
        let spawned = self.spawn();
        self.unsaid(stdin, stdout, stderr, Stdio::inherit, Stdio::inherit);
        spawned?.wait_with_output()
    }

    /// Sets the streams that are not said to be the user's.
    fn unsaid(
        &mut self,
        stdin: bool,
        stdout: bool,
        stderr: bool,
        input: fn() -> Stdio,
        output: fn() -> Stdio,
    ) {
        if !stdin {
            self.command.stdin(input());
        }
        if !stdout {
            self.command.stdout(output());
        }
        if !stderr {
            self.command.stderr(output());
        }
    }

    /// Starts it and waits for its end, as [`std::process::Command::status`]. A cancellation point.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn status(&mut self) -> io::Result<ExitStatus> {
        self.spawn()?.wait()
    }

    /// The program.
    #[must_use]
    pub fn get_program(&self) -> &OsStr {
        self.command.get_program()
    }

    /// The arguments.
    pub fn get_args(&self) -> CommandArgs<'_> {
        self.command.get_args()
    }

    /// What was said of the environment.
    pub fn get_envs(&self) -> CommandEnvs<'_> {
        self.command.get_envs()
    }

    /// Where it is to start, if that was said.
    #[must_use]
    pub fn get_current_dir(&self) -> Option<&Path> {
        self.command.get_current_dir()
    }

    /// The user that it runs as, as [`CommandExt::uid`].
    pub fn uid(&mut self, id: u32) -> &mut Self {
        self.command.uid(id);
        self
    }

    /// The group that it runs as, as [`CommandExt::gid`].
    pub fn gid(&mut self, id: u32) -> &mut Self {
        self.command.gid(id);
        self
    }

    /// What it is told that its own name is, as [`CommandExt::arg0`].
    pub fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Self {
        self.command.arg0(arg);
        self
    }

    /// The group of processes that it joins, as [`CommandExt::process_group`].
    pub fn process_group(&mut self, pgroup: i32) -> &mut Self {
        self.command.process_group(pgroup);
        self
    }

    /// What the child does before it becomes the program, as [`CommandExt::pre_exec`].
    ///
    /// # Safety
    ///
    /// As there: only what may be done between fork and exec.
    #[allow(unsafe_code)]
    pub unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Self
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: the caller's.
        unsafe { self.command.pre_exec(f) };
        self
    }

    /// Becomes the program, as [`CommandExt::exec`]: returns only where that fails.
    pub fn exec(&mut self) -> io::Error {
        self.command.exec()
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.command.fmt(f)
    }
}
