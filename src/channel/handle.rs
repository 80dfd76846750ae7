//! What a select knows of each thing that it waits for.

#![allow(unsafe_code)]

use super::waiting::Node;
use super::{Flavor, Receiver, Sender};
use std::time::Instant;

/// The right to do an operation that was selected.
#[derive(Clone, Copy, Debug)]
pub enum Token {
    /// A place, or a message.
    Reserved,
    /// To find out that nobody is left at the other side.
    Disconnected,
    /// To meet another.
    Meeting(u64),
    /// The message of a timer.
    Time(Instant),
    /// Nothing but to know.
    Ready,
}

/// An end of a channel, or something else that becomes ready.
///
/// # Safety
///
/// After `unregister` the node is in no list of it.
pub unsafe trait SelectHandle {
    /// Makes the operation the caller's, if it is ready.
    fn try_select(&self) -> Option<Token>;

    /// When there is something to be tried without anybody's saying so.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Lets `node` be granted the operation when it is ready; says whether it is now, instead.
    ///
    /// # Safety
    ///
    /// The node is in no list, lives and stays where it is until `unregister`.
    unsafe fn register(&self, node: &Node) -> bool;

    /// Takes `node` out again.
    fn unregister(&self, node: &Node);

    /// Whether the operation is ready.
    fn is_ready(&self) -> bool;

    /// Lets `node` know when the operation is ready; says whether it is now, instead.
    ///
    /// # Safety
    ///
    /// As for `register`.
    unsafe fn watch(&self, node: &Node) -> bool;

    /// Gives back the right to do the operation.
    fn abandon(&self, token: Token);

    /// Whether it wakes the task without granting anything.
    fn only_wakes(&self) -> bool {
        false
    }
}

// SAFETY: a node is in the channel's lists alone.
unsafe impl<T> SelectHandle for Sender<T> {
    fn try_select(&self) -> Option<Token> {
        self.channel.reserve_send()
    }

    unsafe fn register(&self, node: &Node) -> bool {
        // SAFETY: the caller's.
        unsafe { self.channel.register_send(node) }
    }

    fn unregister(&self, node: &Node) {
        self.channel.unregister(node);
    }

    fn is_ready(&self) -> bool {
        self.channel.send_is_ready()
    }

    unsafe fn watch(&self, node: &Node) -> bool {
        // SAFETY: the caller's.
        unsafe { self.channel.watch_send(node) }
    }

    fn abandon(&self, token: Token) {
        self.channel.abandon_send(token);
    }
}

// SAFETY: a node is in the channel's lists alone; a timer keeps none.
unsafe impl<T> SelectHandle for Receiver<T> {
    fn try_select(&self) -> Option<Token> {
        match &self.flavor {
            Flavor::Channel(channel) => channel.reserve_recv(),
            Flavor::At(at, _) => at.take().map(Token::Time),
            Flavor::Tick(tick, _) => tick.take(Instant::now()).map(Token::Time),
            Flavor::Never => None,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.flavor {
            Flavor::At(at, _) => at.due(),
            Flavor::Tick(tick, _) => Some(tick.due()),
            Flavor::Channel(_) | Flavor::Never => None,
        }
    }

    unsafe fn register(&self, node: &Node) -> bool {
        match &self.flavor {
            // SAFETY: the caller's.
            Flavor::Channel(channel) => unsafe { channel.register_recv(node) },
            _ => self.is_ready(),
        }
    }

    fn unregister(&self, node: &Node) {
        if let Flavor::Channel(channel) = &self.flavor {
            channel.unregister(node);
        }
    }

    fn is_ready(&self) -> bool {
        match &self.flavor {
            Flavor::Channel(channel) => channel.recv_is_ready(),
            Flavor::At(at, _) => at.is_ready(),
            Flavor::Tick(tick, _) => tick.is_ready(),
            Flavor::Never => false,
        }
    }

    unsafe fn watch(&self, node: &Node) -> bool {
        match &self.flavor {
            // SAFETY: the caller's.
            Flavor::Channel(channel) => unsafe { channel.watch_recv(node) },
            _ => self.is_ready(),
        }
    }

    fn abandon(&self, token: Token) {
        match &self.flavor {
            Flavor::Channel(channel) => channel.abandon_recv(token),
            Flavor::At(at, _) => at.put_back(),
            // The next one comes in a period.
            Flavor::Tick(..) | Flavor::Never => {}
        }
    }
}
