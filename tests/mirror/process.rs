//! `std::process`.

use crate::table::{
    P, gives_descriptor, gives_stdio, is_descriptor, is_shared, reads, takes_descriptor, writes,
};
use std::ffi::OsStr;
use std::marker::PhantomData;
use std::path::Path;

/// A word of a command.
type S = &'static OsStr;

implements! {
    is_sent: std::fmt::Debug, Send, Sync, Unpin;
}

mirror! {
    modules { io, process }
    Reexported "process::CommandArgs":
        PhantomData<std::process::CommandArgs<'static>>
        = PhantomData::<process::CommandArgs<'static>>;
    Reexported "process::CommandEnvs":
        PhantomData<std::process::CommandEnvs<'static>>
        = PhantomData::<process::CommandEnvs<'static>>;
    Reexported "process::ExitCode": PhantomData<std::process::ExitCode> = PhantomData::<process::ExitCode>;
    Reexported "process::ExitStatus":
        PhantomData<std::process::ExitStatus>
        = PhantomData::<process::ExitStatus>;
    Reexported "process::Output": PhantomData<std::process::Output> = PhantomData::<process::Output>;
    Reexported "process::Stdio": PhantomData<std::process::Stdio> = PhantomData::<process::Stdio>;
    Reexported "process::Termination":
        fn(Box<dyn std::process::Termination>)
        = drop::<Box<dyn process::Termination>>;
    Reexported "process::abort": fn() -> ! = process::abort;
    Reexported "process::exit": fn(i32) -> ! = process::exit;
    Reexported "process::id": fn() -> u32 = process::id;
    Same "process::Command": PhantomData<process::Command> = PhantomData::<process::Command>;
    Same "process::Command::new": fn(S) -> process::Command = process::Command::new::<S>;
    Same "process::Command::arg":
        fn(&mut process::Command, S) -> &mut process::Command
        = process::Command::arg::<S>;
    Same "process::Command::args":
        fn(&mut process::Command, Vec<S>) -> &mut process::Command
        = process::Command::args::<Vec<S>, S>;
    Same "process::Command::env":
        fn(&mut process::Command, S, S) -> &mut process::Command
        = process::Command::env::<S, S>;
    Same "process::Command::envs":
        fn(&mut process::Command, Vec<(S, S)>) -> &mut process::Command
        = process::Command::envs::<Vec<(S, S)>, S, S>;
    Same "process::Command::env_remove":
        fn(&mut process::Command, S) -> &mut process::Command
        = process::Command::env_remove::<S>;
    Same "process::Command::env_clear":
        fn(&mut process::Command) -> &mut process::Command
        = process::Command::env_clear;
    Same "process::Command::current_dir":
        fn(&mut process::Command, P) -> &mut process::Command
        = process::Command::current_dir::<P>;
    Same "process::Command::stdin":
        fn(&mut process::Command, process::Stdio) -> &mut process::Command
        = process::Command::stdin::<process::Stdio>;
    Same "process::Command::stdout":
        fn(&mut process::Command, process::Stdio) -> &mut process::Command
        = process::Command::stdout::<process::Stdio>;
    Same "process::Command::stderr":
        fn(&mut process::Command, process::Stdio) -> &mut process::Command
        = process::Command::stderr::<process::Stdio>;
    Same "process::Command::spawn":
        fn(&mut process::Command) -> io::Result<process::Child>
        = process::Command::spawn;
    Same "process::Command::output":
        fn(&mut process::Command) -> io::Result<process::Output>
        = process::Command::output;
    Same "process::Command::status":
        fn(&mut process::Command) -> io::Result<process::ExitStatus>
        = process::Command::status;
    Same "process::Command::get_program": fn(&process::Command) -> &OsStr = process::Command::get_program;
    Same "process::Command::get_args":
        fn(&process::Command) -> process::CommandArgs<'_>
        = process::Command::get_args;
    Same "process::Command::get_envs":
        fn(&process::Command) -> process::CommandEnvs<'_>
        = process::Command::get_envs;
    Same "process::Command::get_current_dir":
        fn(&process::Command) -> Option<&Path>
        = process::Command::get_current_dir;
    Same "impl Debug, Send, Sync, Unpin for process::Command": fn() = is_sent::<process::Command>;
    Ours "impl os::unix::process::CommandExt for process::Command";
    Same "process::Child": PhantomData<process::Child> = PhantomData::<process::Child>;
    Same "process::Child::stdin": fn(process::Child) -> Option<process::ChildStdin> = |child| child.stdin;
    Same "process::Child::stdout":
        fn(process::Child) -> Option<process::ChildStdout>
        = |child| child.stdout;
    Same "process::Child::stderr":
        fn(process::Child) -> Option<process::ChildStderr>
        = |child| child.stderr;
    Same "process::Child::id": fn(&process::Child) -> u32 = process::Child::id;
    Same "process::Child::kill": fn(&mut process::Child) -> io::Result<()> = process::Child::kill;
    Same "process::Child::wait":
        fn(&mut process::Child) -> io::Result<process::ExitStatus>
        = process::Child::wait;
    Same "process::Child::try_wait":
        fn(&mut process::Child) -> io::Result<Option<process::ExitStatus>>
        = process::Child::try_wait;
    Same "process::Child::wait_with_output":
        fn(process::Child) -> io::Result<process::Output>
        = process::Child::wait_with_output;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for process::Child":
        fn()
        = is_shared::<process::Child>;
    Same "process::ChildStdin": PhantomData<process::ChildStdin> = PhantomData::<process::ChildStdin>;
    Same "impl Write for process::ChildStdin": fn() = writes::<process::ChildStdin>;
    Same "impl Write for &process::ChildStdin": fn() = writes::<&'static process::ChildStdin>;
    Same "impl AsFd, AsRawFd for process::ChildStdin": fn() = is_descriptor::<process::ChildStdin>;
    Same "impl IntoRawFd, Into<OwnedFd> for process::ChildStdin":
        fn()
        = gives_descriptor::<process::ChildStdin>;
    Same "impl From<OwnedFd> for process::ChildStdin": fn() = takes_descriptor::<process::ChildStdin>;
    Same "impl Into<Stdio> for process::ChildStdin": fn() = gives_stdio::<process::ChildStdin>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for process::ChildStdin":
        fn()
        = is_shared::<process::ChildStdin>;
    Same "process::ChildStdout": PhantomData<process::ChildStdout> = PhantomData::<process::ChildStdout>;
    Same "impl Read for process::ChildStdout": fn() = reads::<process::ChildStdout>;
    Same "impl AsFd, AsRawFd for process::ChildStdout": fn() = is_descriptor::<process::ChildStdout>;
    Same "impl IntoRawFd, Into<OwnedFd> for process::ChildStdout":
        fn()
        = gives_descriptor::<process::ChildStdout>;
    Same "impl From<OwnedFd> for process::ChildStdout": fn() = takes_descriptor::<process::ChildStdout>;
    Same "impl Into<Stdio> for process::ChildStdout": fn() = gives_stdio::<process::ChildStdout>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for process::ChildStdout":
        fn()
        = is_shared::<process::ChildStdout>;
    Same "process::ChildStderr": PhantomData<process::ChildStderr> = PhantomData::<process::ChildStderr>;
    Same "impl Read for process::ChildStderr": fn() = reads::<process::ChildStderr>;
    Same "impl AsFd, AsRawFd for process::ChildStderr": fn() = is_descriptor::<process::ChildStderr>;
    Same "impl IntoRawFd, Into<OwnedFd> for process::ChildStderr":
        fn()
        = gives_descriptor::<process::ChildStderr>;
    Same "impl From<OwnedFd> for process::ChildStderr": fn() = takes_descriptor::<process::ChildStderr>;
    Same "impl Into<Stdio> for process::ChildStderr": fn() = gives_stdio::<process::ChildStderr>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for process::ChildStderr":
        fn()
        = is_shared::<process::ChildStderr>;
}
