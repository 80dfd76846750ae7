//! `std::io`.

use crate::table::{
    gives_descriptor, gives_stdio, is_descriptor, is_shared, reads, reads_by_lines,
    takes_descriptor, takes_raw_descriptor, writes,
};
use std::marker::PhantomData;

mirror! {
    modules { io }
    Reexported "io::BufReader": PhantomData<std::io::BufReader<u8>> = PhantomData::<io::BufReader<u8>>;
    Reexported "io::BufWriter":
        PhantomData<std::io::BufWriter<Vec<u8>>>
        = PhantomData::<io::BufWriter<Vec<u8>>>;
    Reexported "io::Bytes": PhantomData<std::io::Bytes<u8>> = PhantomData::<io::Bytes<u8>>;
    Reexported "io::Chain": PhantomData<std::io::Chain<u8, u8>> = PhantomData::<io::Chain<u8, u8>>;
    Reexported "io::Cursor": PhantomData<std::io::Cursor<u8>> = PhantomData::<io::Cursor<u8>>;
    Reexported "io::Empty": PhantomData<std::io::Empty> = PhantomData::<io::Empty>;
    Reexported "io::Error": PhantomData<std::io::Error> = PhantomData::<io::Error>;
    Reexported "io::IntoInnerError":
        PhantomData<std::io::IntoInnerError<u8>>
        = PhantomData::<io::IntoInnerError<u8>>;
    Reexported "io::IoSlice": PhantomData<std::io::IoSlice<'static>> = PhantomData::<io::IoSlice<'static>>;
    Reexported "io::IoSliceMut":
        PhantomData<std::io::IoSliceMut<'static>>
        = PhantomData::<io::IoSliceMut<'static>>;
    Reexported "io::LineWriter":
        PhantomData<std::io::LineWriter<Vec<u8>>>
        = PhantomData::<io::LineWriter<Vec<u8>>>;
    Reexported "io::Lines": PhantomData<std::io::Lines<u8>> = PhantomData::<io::Lines<u8>>;
    Reexported "io::Repeat": PhantomData<std::io::Repeat> = PhantomData::<io::Repeat>;
    Reexported "io::Sink": PhantomData<std::io::Sink> = PhantomData::<io::Sink>;
    Reexported "io::Split": PhantomData<std::io::Split<u8>> = PhantomData::<io::Split<u8>>;
    Reexported "io::Stderr": PhantomData<std::io::Stderr> = PhantomData::<io::Stderr>;
    Reexported "io::StderrLock":
        PhantomData<std::io::StderrLock<'static>>
        = PhantomData::<io::StderrLock<'static>>;
    Reexported "io::Stdout": PhantomData<std::io::Stdout> = PhantomData::<io::Stdout>;
    Reexported "io::StdoutLock":
        PhantomData<std::io::StdoutLock<'static>>
        = PhantomData::<io::StdoutLock<'static>>;
    Reexported "io::Take": PhantomData<std::io::Take<u8>> = PhantomData::<io::Take<u8>>;
    Reexported "io::WriterPanicked":
        PhantomData<std::io::WriterPanicked>
        = PhantomData::<io::WriterPanicked>;
    Reexported "io::ErrorKind": PhantomData<std::io::ErrorKind> = PhantomData::<io::ErrorKind>;
    Reexported "io::SeekFrom": PhantomData<std::io::SeekFrom> = PhantomData::<io::SeekFrom>;
    Reexported "io::Result": PhantomData<std::io::Result<u8>> = PhantomData::<io::Result<u8>>;
    Reexported "io::BufRead": fn(Box<dyn std::io::BufRead>) = drop::<Box<dyn io::BufRead>>;
    Reexported "io::IsTerminal": fn(Box<dyn std::io::IsTerminal>) = drop::<Box<dyn io::IsTerminal>>;
    Reexported "io::Read": fn(Box<dyn std::io::Read>) = drop::<Box<dyn io::Read>>;
    Reexported "io::Seek": fn(Box<dyn std::io::Seek>) = drop::<Box<dyn io::Seek>>;
    Reexported "io::Write": fn(Box<dyn std::io::Write>) = drop::<Box<dyn io::Write>>;
    Reexported "io::prelude": fn(Box<dyn std::io::Read>) = drop::<Box<dyn io::prelude::Read>>;
    Reexported "io::copy":
        fn(&mut std::io::Empty, &mut std::io::Sink) -> std::io::Result<u64>
        = io::copy::<std::io::Empty, std::io::Sink>;
    Reexported "io::empty": fn() -> std::io::Empty = io::empty;
    Reexported "io::sink": fn() -> std::io::Sink = io::sink;
    Reexported "io::repeat": fn(u8) -> std::io::Repeat = io::repeat;
    Reexported "io::read_to_string":
        fn(std::io::Empty) -> std::io::Result<String>
        = io::read_to_string::<std::io::Empty>;
    Reexported "io::stdout": fn() -> std::io::Stdout = io::stdout;
    Reexported "io::stderr": fn() -> std::io::Stderr = io::stderr;
    Same "io::stdin": fn() -> io::Stdin = io::stdin;
    Same "io::Stdin": PhantomData<io::Stdin> = PhantomData::<io::Stdin>;
    Same "io::Stdin::lock": fn(&io::Stdin) -> io::StdinLock<'static> = io::Stdin::lock;
    Same "io::Stdin::read_line": fn(&io::Stdin, &mut String) -> io::Result<usize> = io::Stdin::read_line;
    Same "io::Stdin::lines": fn(io::Stdin) -> io::Lines<io::StdinLock<'static>> = io::Stdin::lines;
    Same "impl Read for io::Stdin": fn() = reads::<io::Stdin>;
    Same "impl Read for &io::Stdin": fn() = reads::<&'static io::Stdin>;
    Same "impl AsFd, AsRawFd for io::Stdin": fn() = is_descriptor::<io::Stdin>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for io::Stdin":
        fn()
        = is_shared::<io::Stdin>;
    Same "io::StdinLock": PhantomData<io::StdinLock<'static>> = PhantomData::<io::StdinLock<'static>>;
    Same "impl Read, BufRead for io::StdinLock": fn() = reads_by_lines::<io::StdinLock<'static>>;
    Same "impl AsFd, AsRawFd for io::StdinLock": fn() = is_descriptor::<io::StdinLock<'static>>;
    Ours "impl IsTerminal for io::Stdin, io::StdinLock";
    Same "io::pipe": fn() -> io::Result<(io::PipeReader, io::PipeWriter)> = io::pipe;
    Same "io::PipeReader": PhantomData<io::PipeReader> = PhantomData::<io::PipeReader>;
    Same "io::PipeReader::try_clone":
        fn(&io::PipeReader) -> io::Result<io::PipeReader>
        = io::PipeReader::try_clone;
    Same "impl Read for io::PipeReader": fn() = reads::<io::PipeReader>;
    Same "impl Read for &io::PipeReader": fn() = reads::<&'static io::PipeReader>;
    Same "impl AsFd, AsRawFd for io::PipeReader": fn() = is_descriptor::<io::PipeReader>;
    Same "impl IntoRawFd, Into<OwnedFd> for io::PipeReader": fn() = gives_descriptor::<io::PipeReader>;
    Same "impl From<OwnedFd> for io::PipeReader": fn() = takes_descriptor::<io::PipeReader>;
    Same "impl FromRawFd for io::PipeReader": fn() = takes_raw_descriptor::<io::PipeReader>;
    Same "impl Into<Stdio> for io::PipeReader": fn() = gives_stdio::<io::PipeReader>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for io::PipeReader":
        fn()
        = is_shared::<io::PipeReader>;
    Same "io::PipeWriter": PhantomData<io::PipeWriter> = PhantomData::<io::PipeWriter>;
    Same "io::PipeWriter::try_clone":
        fn(&io::PipeWriter) -> io::Result<io::PipeWriter>
        = io::PipeWriter::try_clone;
    Same "impl Write for io::PipeWriter": fn() = writes::<io::PipeWriter>;
    Same "impl Write for &io::PipeWriter": fn() = writes::<&'static io::PipeWriter>;
    Same "impl AsFd, AsRawFd for io::PipeWriter": fn() = is_descriptor::<io::PipeWriter>;
    Same "impl IntoRawFd, Into<OwnedFd> for io::PipeWriter": fn() = gives_descriptor::<io::PipeWriter>;
    Same "impl From<OwnedFd> for io::PipeWriter": fn() = takes_descriptor::<io::PipeWriter>;
    Same "impl FromRawFd for io::PipeWriter": fn() = takes_raw_descriptor::<io::PipeWriter>;
    Same "impl Into<Stdio> for io::PipeWriter": fn() = gives_stdio::<io::PipeWriter>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for io::PipeWriter":
        fn()
        = is_shared::<io::PipeWriter>;
}
