//! He has one that whistles, and has to tell it what to do then: callbacks on epoll, one thread. Who has to wait
//! leaves a closure behind, and all that is to happen afterwards lies in it.

use super::tea::{Guest, LONGEST_LINE};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;

type Callback = Box<dyn FnOnce(&Rc<Loop>)>;

/// What is to be called when a descriptor is ready.
struct Loop {
    epoll: OwnedFd,
    callbacks: RefCell<HashMap<u64, Callback>>,
}

struct Table {
    stream: TcpStream,
    guest: Guest,
    input: [u8; LONGEST_LINE],
    filled: usize,
    out: Vec<u8>,
    sent: usize,
}

pub(crate) fn serve(listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let whistles = Rc::new(Loop {
        epoll: epoll::create(CreateFlags::CLOEXEC)?,
        callbacks: RefCell::default(),
    });
    whistles.watch(&listener)?;
    accept(Rc::new(listener), &whistles);
    let mut events = Vec::with_capacity(1024);
    loop {
        events.clear();
        match epoll::wait(&whistles.epoll, rustix::buffer::spare_capacity(&mut events), None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let data = event.data;
            // Not while it is borrowed: the callback will leave the next one.
            let callback = whistles.callbacks.borrow_mut().remove(&data.u64());
            if let Some(callback) = callback {
                callback(&whistles);
            }
        }
    }
}

impl Loop {
    fn watch(&self, socket: &(impl AsRawFd + std::os::fd::AsFd)) -> io::Result<()> {
        let all = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        let key = EventData::new_u64(socket.as_raw_fd() as u64);
        Ok(epoll::add(&self.epoll, socket, key, all)?)
    }

    fn when_ready(&self, fd: RawFd, callback: Callback) {
        self.callbacks.borrow_mut().insert(fd as u64, callback);
    }
}

fn accept(listener: Rc<TcpListener>, whistles: &Rc<Loop>) {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                let prepared = stream
                    .set_nonblocking(true)
                    .and_then(|()| stream.set_nodelay(true))
                    .and_then(|()| whistles.watch(&stream));
                if prepared.is_ok() {
                    let (guest, input) = (Guest::default(), [0; LONGEST_LINE]);
                    let out = Vec::new();
                    read(
                        Box::new(Table { stream, guest, input, filled: 0, out, sent: 0 }),
                        whistles,
                    );
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let next = Rc::clone(&listener);
                let callback = Box::new(move |whistles: &Rc<Loop>| accept(next, whistles));
                return whistles.when_ready(listener.as_raw_fd(), callback);
            }
            Err(error) => return eprintln!("accept: {error}"),
        }
    }
}

fn read(mut table: Box<Table>, whistles: &Rc<Loop>) {
    loop {
        match table.stream.read(&mut table.input[table.filled..]) {
            Ok(len) if len > 0 => table.filled += len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let fd = table.stream.as_raw_fd();
                return whistles.when_ready(fd, Box::new(move |whistles| read(table, whistles)));
            }
            // The end: nobody has the table any more.
            _ => return,
        }
        let Table { guest, input, filled, out, .. } = &mut *table;
        let Some(taken) = guest.answer_all(&input[..*filled], out) else { return };
        input.copy_within(taken..*filled, 0);
        *filled -= taken;
        // Not by a call of `write`: that would call this again, and so on.
        match table.flush() {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let fd = table.stream.as_raw_fd();
                return whistles.when_ready(fd, Box::new(move |whistles| write(table, whistles)));
            }
            Err(_) => return,
        }
    }
}

fn write(mut table: Box<Table>, whistles: &Rc<Loop>) {
    match table.flush() {
        Ok(()) => read(table, whistles),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            let fd = table.stream.as_raw_fd();
            whistles.when_ready(fd, Box::new(move |whistles| write(table, whistles)));
        }
        Err(_) => {}
    }
}

impl Table {
    fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..])? {
                0 => return Err(ErrorKind::WriteZero.into()),
                len => self.sent += len,
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }
}
