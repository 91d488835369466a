use std::thread;
fn pay() { panic!("card refused"); }
fn order(found: Option<u32>) -> u32 { found.expect("order 7 has\ntwo lines") }
fn main() {
    eprintln!("[2026-01-05T10:00:00Z INFO  shop] up");
    let _ = thread::spawn(|| pay()).join();
    eprintln!("[2026-01-05T10:00:00Z INFO  shop] on we go");
    let _ = thread::Builder::new().name("worker".into()).spawn(|| { let v: Vec<u8> = Vec::new(); v[std::env::args().count()] }).unwrap().join();
    eprintln!("[2026-01-05T10:00:00Z INFO  shop] last words");
    order(None);
}
