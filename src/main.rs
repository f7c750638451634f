//! The street door: hands the command line to the counter and its exit code to the system.

/// All memory of the program, SQLite's too.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    dues::cli::main()
}
