//! Communicating sequential processes: a chain of coroutines with a channel between each two.
//!
//! ```text
//! cargo run --release --example pipeline -- --primes 500 --frames 1000
//! ```

#[path = "support/options.rs"]
mod options;

use kettle::channel::{Receiver, bounded};
use kettle::thread;
use options::Value;
use std::process::ExitCode;

const HELP: &str = "\
Runs two pipelines: a prime sieve that grows a coroutine for each prime it finds, and one that makes, blurs and
sums up images, a coroutine for each step, with room for a few images between the steps.

  --primes N       how many primes to find (100)
  --frames N       how many images to send through (200)
  --room N         how many images may wait between two steps (4)
  --help           this text";

/// The numbers from 2 on, until nobody wants them any more.
fn numbers() -> Receiver<u32> {
    let (sender, receiver) = bounded(1);
    thread::spawn(move || (2..).all(|number| sender.send(number).is_ok()));
    receiver
}

/// What is not a multiple of `prime`.
fn filter(numbers: Receiver<u32>, prime: u32) -> Receiver<u32> {
    let (sender, receiver) = bounded(1);
    thread::spawn(move || {
        numbers
            .iter()
            .filter(|number| number % prime != 0)
            .all(|number| sender.send(number).is_ok())
    });
    receiver
}

/// The first `count` primes, as Eratosthenes found them.
fn sieve(count: usize) -> Vec<u32> {
    let mut candidates = numbers();
    (0..count)
        .map(|_| {
            let prime = candidates.recv().expect("there is always another number");
            candidates =
                filter(std::mem::replace(&mut candidates, kettle::channel::never()), prime);
            prime
        })
        .collect()
}

const SIDE: usize = 64;

type Image = Vec<u8>;

/// A step: a coroutine that makes one image of another.
fn step(
    images: Receiver<Image>,
    room: usize,
    work: impl Fn(&Image) -> Image + Send + 'static,
) -> Receiver<Image> {
    let (sender, receiver) = bounded(room);
    thread::spawn(move || images.iter().all(|image| sender.send(work(&image)).is_ok()));
    receiver
}

fn paint(number: usize) -> Image {
    (0..SIDE * SIDE).map(|at| ((at * 7 + number * 13) % 256) as u8).collect()
}

fn blur(image: &Image) -> Image {
    let at = |row: usize, column: usize| u32::from(image[row % SIDE * SIDE + column % SIDE]);
    let mean = |row, column| (at(row, column) + at(row + 1, column) + at(row, column + 1)) / 3;
    (0..SIDE * SIDE).map(|place| mean(place / SIDE, place % SIDE) as u8).collect()
}

fn threshold(image: &Image) -> Image {
    image.iter().map(|&grey| u8::from(grey > 127)).collect()
}

/// How many pixels of all images are bright after all steps.
fn bright_pixels(frames: usize, room: usize) -> usize {
    let (sender, images) = bounded(room);
    thread::spawn(move || (0..frames).all(|number| sender.send(paint(number)).is_ok()));
    let images = step(step(images, room, blur), room, threshold);
    images.iter().flatten().map(usize::from).sum()
}

fn main() -> ExitCode {
    run(lexopt::Parser::from_env())
}

/// The program with these arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> ExitCode {
    let (mut primes, mut frames, mut room) = (100, 200, 4);
    let options = &mut [
        ("primes", Value::Number(&mut primes)),
        ("frames", Value::Number(&mut frames)),
        ("room", Value::Number(&mut room)),
    ];
    if let Err(code) = options::read(arguments, HELP, options) {
        return code;
    }
    kettle::run(|| {
        let found = sieve(primes);
        println!("prime number {primes} is {}", found[primes - 1]);
        let bright = bright_pixels(frames, room);
        println!("{bright} of {} pixels are bright", frames * SIDE * SIDE);
    });
    ExitCode::SUCCESS
}
