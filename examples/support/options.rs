//! Command lines of numbers, words and flags.

use lexopt::Arg;
use lexopt::prelude::ValueExt;
use std::process::ExitCode;

/// Where the value of an option goes.
#[allow(dead_code, reason = "each example uses some")]
pub(crate) enum Value<'a> {
    Number(&'a mut usize),
    Word(&'a mut String),
    Flag(&'a mut bool),
}

/// Reads the command line into `options`; an exit code if that is the end of it, because only the help was wanted,
/// or because it cannot be read.
pub(crate) fn read(
    mut parser: lexopt::Parser,
    help: &str,
    options: &mut [(&str, Value<'_>)],
) -> Result<(), ExitCode> {
    match read_all(&mut parser, options) {
        Ok(true) => Ok(()),
        Ok(false) => {
            println!("{help}");
            Err(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("error: {error}; --help says what there is");
            Err(ExitCode::from(2))
        }
    }
}

fn read_all(
    parser: &mut lexopt::Parser,
    options: &mut [(&str, Value<'_>)],
) -> Result<bool, lexopt::Error> {
    while let Some(argument) = parser.next()? {
        let name = match &argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(false),
            Arg::Long(name) => (*name).to_owned(),
            _ => return Err(argument.unexpected()),
        };
        let Some((_, value)) = options.iter_mut().find(|(option, _)| *option == name) else {
            return Err(Arg::Long(&name).unexpected());
        };
        match value {
            Value::Number(number) => {
                **number = parser.value()?.parse()?;
                if **number == 0 {
                    return Err(format!("--{name} must not be zero").into());
                }
            }
            Value::Word(word) => **word = parser.value()?.string()?,
            Value::Flag(flag) => **flag = true,
        }
    }
    Ok(true)
}
