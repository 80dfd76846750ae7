//! The workloads with kettle.

mod channels;
mod echo;
mod http;
mod mutex;
mod parked;
mod skynet;
mod sleepers;
mod spawn_join;
mod switch;
mod yields;

use kettle::runtime::Runtime;
use peers::{Options, Result};

/// The default runtime, with the workers and the stacks that were asked for.
fn start(options: &Options) -> Result<()> {
    let mut builder = Runtime::builder().workers(options.count("workers")?);
    if let Some(size) = options.given("stack-size")? {
        builder = builder.stack_size(size);
    }
    Ok(builder.build_global()?)
}

fn main() -> Result<()> {
    let options = Options::from_env()?;
    let number = |name| options.number(name);
    if options.workload != "switch" {
        start(&options)?;
    }
    let report = match options.workload.as_str() {
        "echo" => {
            let address = options.address("listen")?;
            return Ok(kettle::run(|| echo::serve(address))?);
        }
        "http" => {
            let address = options.address("listen")?;
            return Ok(kettle::run(|| http::serve(address))?);
        }
        "ping-pong" => {
            let count = number("count")?;
            kettle::run(|| channels::ping_pong(count))
        }
        "fan-in" => {
            let (senders, each, capacity) =
                (number("senders")?, number("each")?, options.count("capacity")?);
            kettle::run(|| channels::fan_in(senders, each, capacity))
        }
        "mutex" => {
            let (tasks, each) = (number("tasks")?, number("each")?);
            kettle::run(|| mutex::mutex(tasks, each))
        }
        "skynet" => {
            let leaves = number("leaves")?;
            kettle::run(|| skynet::skynet(leaves))
        }
        "sleepers" => {
            let count = number("count")?;
            kettle::run(|| sleepers::sleepers(count))
        }
        "spawn-join" => {
            let (count, outstanding) = (number("count")?, options.count("outstanding")?);
            kettle::run(|| spawn_join::spawn_join(count, outstanding))
        }
        "spawn-outside" => spawn_join::spawn_join(number("count")?, options.count("outstanding")?),
        "yield" => {
            let (tasks, each) = (number("tasks")?, number("each")?);
            kettle::run(|| yields::yields(tasks, each))
        }
        "parked" => {
            let count = number("count")?;
            kettle::run(|| parked::parked(count))
        }
        "switch" => switch::switch(number("count")?),
        _ => return options.unknown(),
    };
    report.print();
    Ok(())
}
