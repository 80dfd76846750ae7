//! Actors: each is a coroutine with a typed mailbox and a state that nobody else touches. A supervisor starts one
//! again that has panicked; its mailbox outlives it.
//!
//! ```text
//! cargo run --release --example actors -- --deposits 1000
//! ```

#[path = "support/options.rs"]
mod options;

use kettle::channel::{Receiver, SendError, Sender, bounded, unbounded};
use kettle::thread::{self, JoinHandle};
use options::Value;
use std::process::ExitCode;

const HELP: &str = "\
An account and a clerk, as actors, and a supervisor that restarts the clerk when it panics.

  --deposits N     how many deposits the clerk is sent; every tenth makes it panic (100)
  --restarts N     how often the clerk may be restarted (1000)
  --help           this text

What the clerk panics with is written to standard error. Exit code: 1 if it was given up.";

/// What an actor is: a state and how it answers messages.
trait Actor: Send + 'static {
    type Message: Send + 'static;

    fn handle(&mut self, message: Self::Message);
}

/// An actor's mailbox, from outside.
struct Address<M>(Sender<M>);

impl<M> Address<M> {
    /// The message back if nobody will read it any more.
    fn tell(&self, message: M) -> Result<(), SendError<M>> {
        self.0.send(message)
    }
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

fn serve<A: Actor>(mut actor: A, mailbox: &Receiver<A::Message>) {
    for message in mailbox {
        actor.handle(message);
    }
}

/// Starts an actor, and starts it again, as `make` makes it, each time that it panics. The message that it
/// panicked at is gone, those after it are not. When it has ended, says how often it was restarted, or that it
/// was given up.
fn supervise<A: Actor>(
    restarts: usize,
    make: impl Fn() -> A + Send + 'static,
) -> (Address<A::Message>, JoinHandle<Result<usize, usize>>) {
    let (sender, mailbox) = unbounded();
    let supervisor = thread::spawn(move || {
        for restarted in 0..=restarts {
            let (actor, mailbox) = (make(), mailbox.clone());
            if thread::spawn(move || serve(actor, &mailbox)).join().is_ok() {
                return Ok(restarted);
            }
        }
        Err(restarts)
    });
    (Address(sender), supervisor)
}

/// An account, which answers questions by a channel in the message.
#[derive(Default)]
struct Account {
    balance: u64,
}

enum Order {
    Deposit(u64),
    Balance(Sender<u64>),
}

impl Actor for Account {
    type Message = Order;

    fn handle(&mut self, order: Order) {
        match order {
            Order::Deposit(amount) => self.balance += amount,
            // Whoever asked may have gone.
            Order::Balance(answer) => drop(answer.send(self.balance)),
        }
    }
}

/// Takes deposits to the account, and cannot cope with some.
struct Clerk {
    account: Address<Order>,
}

impl Actor for Clerk {
    type Message = usize;

    fn handle(&mut self, number: usize) {
        assert!(number % 10 != 0, "the clerk drops deposit {number}");
        self.account.tell(Order::Deposit(1)).expect("the account is open");
    }
}

fn main() -> ExitCode {
    run(lexopt::Parser::from_env())
}

/// The program with these arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> ExitCode {
    let (mut deposits, mut restarts) = (100, 1_000);
    let options = &mut [
        ("deposits", Value::Number(&mut deposits)),
        ("restarts", Value::Number(&mut restarts)),
    ];
    if let Err(code) = options::read(arguments, HELP, options) {
        return code;
    }
    kettle::run(|| {
        let (account, bank) = supervise(0, Account::default);
        let (clerk, office) = supervise(restarts, {
            let account = account.clone();
            move || Clerk { account: account.clone() }
        });
        let sent = (1..=deposits).take_while(|&number| clerk.tell(number).is_ok()).count();
        drop(clerk);
        let outcome = office.join().expect("the supervisor does not panic");
        let (answer, balance) = bounded(1);
        account.tell(Order::Balance(answer)).expect("the account is open");
        let balance = balance.recv().expect("it answers");
        drop(account);
        bank.join().expect("no panic").expect("an account does not panic");
        match outcome {
            Ok(restarted) => {
                println!("{sent} deposits, {balance} on the account, {restarted} restarts");
                ExitCode::SUCCESS
            }
            Err(restarted) => {
                println!("given up after {restarted} restarts, {balance} on the account");
                ExitCode::FAILURE
            }
        }
    })
}
