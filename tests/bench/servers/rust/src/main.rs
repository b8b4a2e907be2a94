//! The workload of the benchmarks: `bench-server (stdio | http PORT | sessions PORT | inproc | tools COUNT)`.

mod http;
mod inproc;
mod stdio;
mod streams;
mod workload;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["stdio"] => stdio::serve(),
        ["http", port] => http::serve(port.parse()?, false),
        ["sessions", port] => http::serve(port.parse()?, true),
        ["inproc"] => inproc::run(),
        ["tools", count] => inproc::tools(count.parse()?),
        _ => Err("bench-server (stdio | http PORT | sessions PORT | inproc | tools COUNT)".into()),
    }
}
