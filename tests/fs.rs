//! Files: that they do what std's do, and that nobody but who asked for them waits.

#[path = "support/coroutines.rs"]
mod coroutines;
#[path = "support/scratch.rs"]
mod scratch;

use coroutines::workers;
use kettle::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use kettle::thread;
use proptest::prelude::*;
use scratch::Scratch;
use std::collections::BTreeSet;
use std::io::{
    self, BufRead, BufReader, ErrorKind, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write,
};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::{DirBuilderExt, DirEntryExt, FileExt, MetadataExt, OpenOptionsExt};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

fn fifo(scratch: &Scratch) -> std::path::PathBuf {
    let path = scratch.join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// What may be done to a file.
#[derive(Clone, Debug)]
enum Step {
    Read(usize),
    ReadVectored(usize, usize),
    ReadToEnd,
    ReadAt(usize, u64),
    Write(Vec<u8>),
    WriteVectored(Vec<u8>, Vec<u8>),
    WriteAt(Vec<u8>, u64),
    Seek(SeekFrom),
    SetLen(u64),
    Len,
    /// Takes the file's pages out of memory, so that the next read must wait.
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..9_000);
    let step = prop_oneof![
        (0..9_000_usize).prop_map(Step::Read),
        (0..5_000_usize, 0..5_000_usize).prop_map(|(a, b)| Step::ReadVectored(a, b)),
        Just(Step::ReadToEnd),
        (0..9_000_usize, prop_oneof![0..40_000_u64, Just(u64::MAX), Just(i64::MAX as u64)])
            .prop_map(|(len, at)| Step::ReadAt(len, at)),
        bytes().prop_map(Step::Write),
        (bytes(), bytes()).prop_map(|(a, b)| Step::WriteVectored(a, b)),
        (bytes(), 0..20_000_u64).prop_map(|(bytes, at)| Step::WriteAt(bytes, at)),
        prop_oneof![
            (0..30_000_u64).prop_map(SeekFrom::Start),
            (-9_000..9_000_i64).prop_map(SeekFrom::Current),
            (-9_000..9_000_i64).prop_map(SeekFrom::End),
        ]
        .prop_map(Step::Seek),
        (0..40_000_u64).prop_map(Step::SetLen),
        Just(Step::Len),
        Just(Step::Forget),
    ];
    proptest::collection::vec(step, 1..40)
}

fn forget(file: &impl AsRawFd) {
    // SAFETY: advice about a descriptor that is open.
    unsafe {
        libc::fdatasync(file.as_raw_fd());
        libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED);
    }
}

/// What came of a step, comparable.
type Outcome = Result<(u64, Vec<u8>), (ErrorKind, Option<i32>)>;

/// Reads until `buffer`, of which `count` bytes are there, is full or the file is at its end.
fn fill(file: &mut impl Read, buffer: &mut [u8], mut count: usize) -> io::Result<u64> {
    while count < buffer.len() {
        match file.read(&mut buffer[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count as u64)
}

fn take(
    file: &mut (impl Read + Write + Seek + FileExt + AsRawFd),
    step: &Step,
    set_len: impl Fn(u64) -> io::Result<()>,
    len: impl Fn() -> io::Result<u64>,
) -> Outcome {
    let outcome = match step {
        // A read may give less than there is, and ours does where the rest is not in memory.
        Step::Read(len) => {
            let mut buffer = vec![0; *len];
            fill(file, &mut buffer, 0).map(|count| (count, buffer))
        }
        Step::ReadVectored(a, b) => {
            let (mut a, mut b) = (vec![0; *a], vec![0; *b]);
            let mut both = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
            file.read_vectored(&mut both).and_then(|count| {
                let mut buffer = [a, b].concat();
                fill(file, &mut buffer, count).map(|count| (count, buffer))
            })
        }
        Step::ReadToEnd => {
            let mut buffer = vec![1, 2, 3];
            file.read_to_end(&mut buffer).map(|count| (count as u64, buffer))
        }
        Step::ReadAt(len, at) => {
            let mut buffer = vec![0; *len];
            let mut count = 0;
            loop {
                match file.read_at(&mut buffer[count..], at.saturating_add(count as u64)) {
                    Ok(0) => break Ok((count as u64, buffer)),
                    Ok(more) => count += more,
                    Err(error) => break Err(error),
                }
            }
        }
        Step::Write(bytes) => file.write(bytes).map(|count| (count as u64, Vec::new())),
        Step::WriteVectored(a, b) => file
            .write_vectored(&[IoSlice::new(a), IoSlice::new(b)])
            .map(|count| (count as u64, Vec::new())),
        Step::WriteAt(bytes, at) => {
            file.write_at(bytes, *at).map(|count| (count as u64, Vec::new()))
        }
        Step::Seek(to) => file.seek(*to).map(|position| (position, Vec::new())),
        Step::SetLen(len) => set_len(*len).map(|()| (0, Vec::new())),
        Step::Len => len().map(|len| (len, Vec::new())),
        Step::Forget => {
            forget(file);
            Ok((0, Vec::new()))
        }
    };
    outcome.map_err(|error| (error.kind(), error.raw_os_error()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_does_what_stds_file_does(steps in steps()) {
        let scratch = Scratch::new("fs-oracle");
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let mut theirs = options.open(scratch.join("theirs")).unwrap();
        let (positions, contents) = workers(1).run(|| {
            let mut ours = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(scratch.join("ours"))
                .unwrap();
            for step in &steps {
                let (mine, yours) = (ours.try_clone().unwrap(), theirs.try_clone().unwrap());
                let ours = take(
                    &mut ours,
                    step,
                    |len| mine.set_len(len),
                    || Ok(mine.metadata()?.len()),
                );
                let theirs = take(
                    &mut theirs,
                    step,
                    |len| yours.set_len(len),
                    || Ok(yours.metadata()?.len()),
                );
                assert_eq!(ours, theirs, "{step:?}");
            }
            let positions = (ours.stream_position().unwrap(), theirs.stream_position().unwrap());
            let read = |name: &str| fs::read(scratch.join(name)).unwrap();
            (positions, (read("ours"), read("theirs")))
        });
        assert_eq!(positions.0, positions.1);
        assert_eq!(contents.0, contents.1);
    }
}

#[test]
fn neighbours_go_on_while_a_read_waits() {
    let scratch = Scratch::new("fs-fifo");
    let path = fifo(&scratch);
    workers(1).run(|| {
        let reader = {
            let path = path.clone();
            // Opening waits for a writer, reading for what it writes.
            thread::spawn(move || fs::read_to_string(path).unwrap())
        };
        let lines = {
            let writer = thread::spawn(move || {
                let mut file = OpenOptions::new().write(true).open(path).unwrap();
                file.write_all(b"put the kettle on").unwrap();
            });
            writer.join().unwrap();
            reader.join().unwrap()
        };
        assert_eq!(lines, "put the kettle on");
    });
}

#[test]
fn a_pipe_as_a_file_is_read_as_it_comes() {
    let scratch = Scratch::new("fs-fifo-lines");
    let path = fifo(&scratch);
    workers(1).run(|| {
        let (there, back) = (path.clone(), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&back);
        let reader = thread::spawn(move || {
            for line in BufReader::new(File::open(there).unwrap()).lines() {
                assert_eq!(line.unwrap(), "line");
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        let mut writer = OpenOptions::new().write(true).open(path).unwrap();
        for count in 1..=20 {
            writer.write_all(b"line\n").unwrap();
            while back.load(Ordering::SeqCst) < count {
                thread::yield_now();
            }
        }
        drop(writer);
        reader.join().unwrap();
    });
}

#[test]
fn readers_who_share_a_position_get_each_byte_once() {
    let scratch = Scratch::new("fs-shared");
    let path = scratch.join("numbers");
    let count = 20_000_u32;
    let bytes: Vec<u8> = (0..count).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&path, bytes).unwrap();
    let runtime = workers(4);
    let file = Arc::new(File::from(std::fs::File::open(&path).unwrap()));
    forget(&*file);
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let file = Arc::clone(&file);
            runtime.spawn(move || {
                let (mut seen, mut number) = (Vec::new(), [0; 4]);
                while (&*file).read(&mut number).unwrap() != 0 {
                    seen.push(u32::from_le_bytes(number));
                }
                seen
            })
        })
        .collect();
    let mut seen: Vec<_> = readers.into_iter().flat_map(|one| one.join().unwrap()).collect();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..count));
}

#[test]
fn reads_that_never_wait_let_the_neighbours_have_their_turn() {
    let scratch = Scratch::new("fs-turns");
    let path = scratch.join("file");
    std::fs::write(&path, [7; 4096]).unwrap();
    workers(1).run(|| {
        let turns = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&turns);
        let file = File::open(&path).unwrap();
        drop(thread::spawn(move || seen.fetch_add(1, Ordering::SeqCst)));
        let mut byte = [0];
        // Where reads can be tried in place, and where each is handed over: the neighbour runs.
        while turns.load(Ordering::SeqCst) == 0 {
            assert_eq!(file.read_at(&mut byte, 11).unwrap(), 1);
        }
    });
}

#[test]
fn every_function_does_its_work() {
    let scratch = Scratch::new("fs-functions");
    let at = |name: &str| scratch.join(name);
    workers(2).run(|| {
        fs::write(at("a"), "polly").unwrap();
        assert_eq!(fs::read(at("a")).unwrap(), b"polly");
        assert_eq!(fs::read_to_string(at("a")).unwrap(), "polly");
        assert!(fs::exists(at("a")).unwrap());
        assert!(!fs::exists(at("b")).unwrap());
        assert_eq!(fs::copy(at("a"), at("b")).unwrap(), 5);
        fs::hard_link(at("a"), at("c")).unwrap();
        assert_eq!(fs::metadata(at("c")).unwrap().nlink(), 2);
        #[expect(deprecated)]
        fs::soft_link("a", at("d")).unwrap();
        assert_eq!(fs::read_link(at("d")).unwrap().to_str(), Some("a"));
        assert!(fs::symlink_metadata(at("d")).unwrap().file_type().is_symlink());
        assert_eq!(fs::metadata(at("d")).unwrap().len(), 5);
        assert_eq!(fs::canonicalize(at("d")).unwrap(), at("a").canonicalize().unwrap());
        fs::rename(at("b"), at("e")).unwrap();
        assert!(!fs::exists(at("b")).unwrap());
        fs::set_permissions(at("e"), fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(fs::metadata(at("e")).unwrap().permissions().mode() & 0o777, 0o400);
        fs::create_dir(at("f")).unwrap();
        fs::create_dir_all(at("f/g/h")).unwrap();
        DirBuilder::new().recursive(true).mode(0o700).create(at("i/j")).unwrap();
        assert_eq!(fs::metadata(at("i/j")).unwrap().mode() & 0o777, 0o700);
        fs::remove_dir(at("i/j")).unwrap();
        fs::remove_dir_all(at("f")).unwrap();
        fs::remove_file(at("d")).unwrap();
        let names: BTreeSet<_> =
            fs::read_dir(scratch.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(names, ["a", "c", "e", "i"].map(Into::into).into());
    });
}

#[test]
fn every_error_is_stds() {
    let scratch = Scratch::new("fs-errors");
    let gone = &scratch.join("gone");
    let file = &scratch.join("file");
    std::fs::write(file, [0xff]).unwrap();
    workers(1).run(|| {
        let kind = |outcome: io::Result<()>| outcome.unwrap_err().kind();
        let not_found = [
            kind(File::open(gone).map(drop)),
            kind(fs::read(gone).map(drop)),
            kind(fs::read_to_string(gone).map(drop)),
            kind(fs::metadata(gone).map(drop)),
            kind(fs::symlink_metadata(gone).map(drop)),
            kind(fs::canonicalize(gone).map(drop)),
            kind(fs::read_dir(gone).map(drop)),
            kind(fs::read_link(gone).map(drop)),
            kind(fs::remove_file(gone)),
            kind(fs::remove_dir(gone)),
            kind(fs::remove_dir_all(gone)),
            kind(fs::rename(gone, file)),
            kind(fs::copy(gone, file).map(drop)),
            kind(fs::hard_link(gone, scratch.join("link"))),
            kind(fs::set_permissions(gone, fs::Permissions::from_mode(0o600))),
            kind(fs::write(gone.join("x"), "")),
            kind(fs::create_dir(gone.join("x"))),
        ];
        assert!(not_found.iter().all(|&kind| kind == ErrorKind::NotFound), "{not_found:?}");
        assert_eq!(kind(File::create_new(file).map(drop)), ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::create_dir(file)), ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::read_to_string(file).map(drop)), ErrorKind::InvalidData);
        assert_eq!(kind(fs::read(scratch.path()).map(drop)), ErrorKind::IsADirectory);
        let directory = File::open(scratch.path()).unwrap();
        assert_eq!(kind((&directory).read(&mut [0]).map(drop)), ErrorKind::IsADirectory);
        // A descriptor that may only be read, and one that may only be written.
        let reader = File::open(file).unwrap();
        let writer = OpenOptions::new().write(true).open(file).unwrap();
        let code = |outcome: io::Result<usize>| outcome.unwrap_err().raw_os_error();
        assert_eq!(code((&reader).write(b"x")), Some(libc::EBADF));
        assert_eq!(code((&writer).read(&mut [0])), Some(libc::EBADF));
        assert_eq!(code(writer.read_at(&mut [0], 0)), Some(libc::EBADF));
        assert_eq!(kind((&reader).seek(SeekFrom::Current(-1)).map(drop)), ErrorKind::InvalidInput);
        assert_eq!(kind(File::open("a\0b").map(drop)), ErrorKind::InvalidInput);
        assert_eq!(kind(OpenOptions::new().open(file).map(drop)), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_directory_of_many_entries_is_listed_whole() {
    let scratch = Scratch::new("fs-many");
    let all: BTreeSet<String> = (0..1_000).map(|n| format!("entry-{n}")).collect();
    for name in &all {
        std::fs::write(scratch.join(name), name).unwrap();
    }
    workers(1).run(|| {
        let mut seen = BTreeSet::new();
        let mut entries = fs::read_dir(scratch.path()).unwrap();
        for entry in &mut entries {
            let entry = entry.unwrap();
            assert!(entry.file_type().unwrap().is_file());
            let metadata = entry.metadata().unwrap();
            assert_eq!(metadata.len() as usize, entry.file_name().len());
            assert_eq!(metadata.ino(), entry.ino());
            assert_eq!(entry.path(), scratch.path().join(entry.file_name()));
            assert!(seen.insert(entry.file_name().into_string().unwrap()), "twice: {entry:?}");
        }
        assert!(entries.next().is_none());
        assert_eq!(seen, all);
    });
}

#[test]
fn a_lock_is_waited_for_and_the_holder_can_always_give_it_up() {
    let scratch = Scratch::new("fs-lock");
    let path = scratch.join("file");
    workers(1).run(|| {
        let holder = File::create(&path).unwrap();
        holder.lock().unwrap();
        let other = File::open(&path).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(matches!(other.try_lock_shared(), Err(TryLockError::WouldBlock)));
        let (sender, begun) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let waiters: Vec<_> = (0..4)
            .map(|_| {
                let file = File::open(&path).unwrap();
                let (inside, begun) = (Arc::clone(&sender), Arc::clone(&begun));
                thread::spawn(move || {
                    begun.fetch_add(1, Ordering::SeqCst);
                    file.lock().unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    file.unlock().unwrap();
                })
            })
            .collect();
        while begun.load(Ordering::SeqCst) < 4 {
            thread::yield_now();
        }
        assert_eq!(sender.load(Ordering::SeqCst), 0);
        holder.unlock().unwrap();
        waiters.into_iter().for_each(|one| one.join().unwrap());
        other.lock_shared().unwrap();
        File::open(&path).unwrap().try_lock_shared().unwrap();
        assert!(matches!(holder.try_lock(), Err(TryLockError::WouldBlock)));
    });
}

#[test]
fn descriptors_and_stds_files_go_in_and_out() {
    let scratch = Scratch::new("fs-convert");
    let path = scratch.join("file");
    workers(1).run(|| {
        let mut file = File::options().read(true).append(true).create(true).open(&path).unwrap();
        file.write_all(b"one ").unwrap();
        let number = file.as_raw_fd();
        let std: std::fs::File = file.into();
        assert_eq!(std.as_raw_fd(), number);
        let owned: OwnedFd = File::from(std).into();
        let raw = File::from(owned).into_raw_fd();
        assert_eq!(raw, number);
        // SAFETY: it was let go of in the line above.
        let file = unsafe { File::from_raw_fd(raw) };
        (&file).write_all(b"two ").unwrap();
        let status = Command::new("echo").arg("three").stdout(Stdio::from(file)).status().unwrap();
        assert!(status.success());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one two three\n");
    });
}

#[test]
fn times_lengths_and_syncs_reach_the_file() {
    let scratch = Scratch::new("fs-times");
    let path = scratch.join("file");
    workers(1).run(|| {
        let file = OpenOptions::new().write(true).create(true).mode(0o640).open(&path).unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777 & !0o022, 0o640);
        file.set_len(1_000).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 1_000);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        file.set_modified(time).unwrap();
        assert_eq!(file.metadata().unwrap().modified().unwrap(), time);
        let later = time + Duration::from_secs(1);
        file.set_times(fs::FileTimes::new().set_accessed(later)).unwrap();
        assert_eq!(file.metadata().unwrap().accessed().unwrap(), later);
        file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        assert!(!file.is_terminal());
    });
}

#[test]
fn on_a_plain_thread_it_works_as_well() {
    let scratch = Scratch::new("fs-thread");
    let path = scratch.join("file");
    fs::write(&path, "hot").unwrap();
    let mut file = File::open(&path).unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    file.rewind().unwrap();
    assert_eq!(file.read(&mut [0; 2]).unwrap(), 2);
    assert_eq!((text.as_str(), file.stream_position().unwrap()), ("hot", 2));
}
