//! Gives the shared library its SONAME: it changes when `mcpgraft_abi_version` does.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmcpgraft.so.0");
}
