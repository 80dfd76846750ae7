//! The locals of one task: a table of values, in the order of their keys' numbers.
//!
//! ```text
//!   header ──▶ Table: slots ──▶ [ Value | none | Value | destroyed | Value ]
//!                     newest ──▶ Value ──older──▶ Value ──older──▶ Value
//! ```
//!
//! There is no table before the first value, and none after the last has been destroyed. Each value is a
//! block of its own, so that references to it stay good while the table grows.
//!
//! A value may be in use when its task ends: by a raw coroutine that waits inside of
//! [`LocalKey::with`](super::LocalKey::with), and that another task of the same thread may go on with.
//! Such a value is never freed.
//!
//! # Invariants
//!
//! 1. Only the running task touches its table, and what it calls under a reference into the table is none
//!    of the user's code.
//! 2. A number belongs to one key, so what lies in its slot is a `Value<T>` of that key's `T`.
//! 3. A value in a slot is in the list that begins at `newest`, and the other way round. Whoever takes it
//!    out of both owns it.
//! 4. A value lives while `users` is not zero.

#![allow(unsafe_code)]

use core::cell::Cell;
use core::ops::Deref;
use core::ptr::NonNull;

/// What a header holds of its task's locals.
#[derive(Debug)]
pub(super) struct Locals {
    table: Cell<Option<NonNull<Table>>>,
}

#[derive(Debug)]
struct Table {
    slots: Vec<Option<NonNull<Node>>>,
    newest: Option<NonNull<Node>>,
}

/// In the place of a table: the task has ended, and no local begins any more.
const GONE: NonNull<Table> = NonNull::dangling();

/// In a slot: the value has been destroyed, or is being.
const DESTROYED: NonNull<Node> = NonNull::dangling();

/// What a value's type does not matter for.
#[derive(Debug)]
struct Node {
    number: u32,
    /// How many references to the value there are.
    users: Cell<usize>,
    older: Option<NonNull<Node>>,
    free: unsafe fn(NonNull<Node>),
}

#[repr(C)]
struct Value<T> {
    node: Node,
    value: T,
}

/// A value taken out of its task. Dropping it runs the destructor, unless somebody still uses it.
#[derive(Debug)]
pub(super) struct Removed(NonNull<Node>);

/// A reference to a value, which lives for as long.
#[derive(Debug)]
pub(super) struct InUse<T>(NonNull<Value<T>>);

impl Locals {
    pub(super) const fn new() -> Self {
        Self { table: Cell::new(None) }
    }

    /// Lets no local begin any more. There are none.
    pub(super) fn close(&self) {
        debug_assert!(self.table.get().is_none_or(|table| table == GONE));
        self.table.set(Some(GONE));
    }

    /// The value of key `number`, if it has one.
    ///
    /// # Safety
    ///
    /// Called by the running task, with the number of a key of `T`s.
    #[inline(always)]
    pub(super) unsafe fn get<T>(&self, number: u32) -> Option<InUse<T>> {
        let table = self.table.get().filter(|&table| table != GONE)?;
        // SAFETY: a table that is not gone is there; invariant 1.
        let slot = unsafe { table.as_ref() }.slots.get(number as usize)?;
        let node = (*slot).filter(|&node| node != DESTROYED)?;
        // SAFETY: invariants 2 and 3.
        Some(unsafe { InUse::another(node) })
    }

    /// Whether key `number` has no value any more, and can get none.
    pub(super) fn is_destroyed(&self, number: u32) -> bool {
        match self.table.get() {
            None => false,
            Some(table) if table == GONE => true,
            Some(table) => {
                // SAFETY: as in `get`.
                let slots = unsafe { &table.as_ref().slots };
                slots.get(number as usize) == Some(&Some(DESTROYED))
            }
        }
    }

    /// Gives key `number` this value; returns a reference to it, and the value that was there before.
    ///
    /// # Safety
    ///
    /// As for [`get`](Self::get), and the key is not destroyed.
    pub(super) unsafe fn insert<T>(&self, number: u32, value: T) -> (InUse<T>, Option<Removed>) {
        debug_assert!(!self.is_destroyed(number));
        let earlier = self.remove(number);
        let table = self.table.get().unwrap_or_else(|| {
            let table = Box::new(Table { slots: Vec::new(), newest: None });
            NonNull::from(Box::leak(table))
        });
        self.table.set(Some(table));
        // SAFETY: not gone, or the key would be destroyed; invariant 1.
        let table = unsafe { &mut *table.as_ptr() };
        let node =
            Node { number, users: Cell::new(0), older: table.newest, free: Value::<T>::free };
        let node = NonNull::from(Box::leak(Box::new(Value { node, value }))).cast::<Node>();
        let index = number as usize;
        if index >= table.slots.len() {
            table.slots.resize(index + 1, None);
        }
        table.slots[index] = Some(node);
        table.newest = Some(node);
        // SAFETY: made of a `Value<T>` just now.
        (unsafe { InUse::another(node) }, earlier)
    }

    /// Takes the value of key `number` out, if it has one.
    fn remove(&self, number: u32) -> Option<Removed> {
        let table = self.table.get().filter(|&table| table != GONE)?;
        // SAFETY: as in `insert`, and invariant 3 for the nodes in the list.
        unsafe {
            let table = &mut *table.as_ptr();
            let slot = table.slots.get_mut(number as usize)?;
            let node = slot.take_if(|node| *node != DESTROYED)?;
            let mut link = &mut table.newest;
            while *link != Some(node) {
                link = &mut (*link.expect("a value in a slot is in the list").as_ptr()).older;
            }
            *link = node.as_ref().older;
            Some(Removed(node))
        }
    }

    /// Takes out the value that began last, for good. When none is left no local begins any more.
    pub(super) fn take_newest(&self) -> Option<Removed> {
        let Some(table) = self.table.get().filter(|&table| table != GONE) else {
            self.table.set(Some(GONE));
            return None;
        };
        // SAFETY: as in `remove`.
        unsafe {
            let fields = &mut *table.as_ptr();
            let Some(node) = fields.newest else {
                self.table.set(Some(GONE));
                drop(Box::from_raw(table.as_ptr()));
                return None;
            };
            fields.newest = node.as_ref().older;
            fields.slots[node.as_ref().number as usize] = Some(DESTROYED);
            Some(Removed(node))
        }
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        // SAFETY: invariant 3: it is ours; invariant 4.
        unsafe {
            if self.0.as_ref().users.get() == 0 {
                (self.0.as_ref().free)(self.0);
            }
        }
    }
}

impl<T> Value<T> {
    /// # Safety
    ///
    /// The node is a `Value<T>`'s and the caller's.
    unsafe fn free(node: NonNull<Node>) {
        // SAFETY: the caller's; `insert` has boxed it.
        drop(unsafe { Box::from_raw(node.cast::<Self>().as_ptr()) });
    }
}

impl<T> InUse<T> {
    /// # Safety
    ///
    /// The node is a living `Value<T>`'s.
    #[inline(always)]
    unsafe fn another(node: NonNull<Node>) -> Self {
        // SAFETY: the caller's.
        let users = unsafe { &node.as_ref().users };
        users.set(users.get() + 1);
        Self(node.cast())
    }
}

impl<T> Deref for InUse<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: invariant 4.
        unsafe { &self.0.as_ref().value }
    }
}

impl<T> Drop for InUse<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: invariant 4.
        let users = unsafe { &self.0.as_ref().node.users };
        users.set(users.get() - 1);
    }
}
