//! Tells the linker where the board has its memory.
fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-arg=-T{here}/../board/mps2-an386.ld");
    println!("cargo:rustc-link-arg=--nmagic");
    println!("cargo:rustc-link-arg=--gc-sections");
    println!("cargo:rerun-if-changed={here}/../board/mps2-an386.ld");
}
