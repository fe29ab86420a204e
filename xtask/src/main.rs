//! Tasks of the project.
mod console;
mod tidy;
mod workspace;
fn main() -> std::process::ExitCode {
    match tidy::run() {
        Ok(true) => std::process::ExitCode::SUCCESS,
        _ => std::process::ExitCode::FAILURE,
    }
}
