//! The street door: hands the command line to the counter and its exit code to the system.

fn main() -> std::process::ExitCode {
    dues::cli::main()
}
