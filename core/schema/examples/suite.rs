use serde_json::Value;
fn main() {
    let base = std::env::args().nth(1).unwrap();
    let (mut n, mut bad, mut diff, mut nowhere) = (0, 0, 0, 0);
    for (dir, label) in [("draft4","http://json-schema.org/draft-04/schema#"),("draft6","http://json-schema.org/draft-06/schema#"),("draft7","http://json-schema.org/draft-07/schema#"),("draft2019-09","https://json-schema.org/draft/2019-09/schema"),("draft2020-12","https://json-schema.org/draft/2020-12/schema")] {
        let mut files = vec![];
        for sub in ["", "optional", "optional/format"] {
            for e in std::fs::read_dir(format!("{base}/tests/{dir}/{sub}")).into_iter().flatten() { let p = e.unwrap().path(); if p.is_file() { files.push(p) } }
        }
        files.sort();
        for f in files {
            let name = f.strip_prefix(&base).unwrap().display().to_string();
            let text = std::fs::read(&f).unwrap();
            let groups: Vec<Value> = serde_json::from_slice(&text).unwrap();
            for g in groups {
                let mut s = g["schema"].clone();
                if let Some(m) = s.as_object_mut() { m.entry("$schema").or_insert(label.into()); }
                let ours = mcpgraft_schema::Whole::new(s.to_string().as_bytes());
                let theirs = jsonschema::options().offline().with_pattern_options(jsonschema::PatternOptions::fancy_regex().backtrack_limit(100_000)).build(&s);
                match (&ours, &theirs) {
                    (Err(a), Ok(_)) => println!("OURS REFUSES {name}: {} -- {a}", g["description"]),
                    (Ok(_), Err(e)) => println!("THEY REFUSE {name}: {} -- {}", g["description"], e.to_string().chars().take(100).collect::<String>()),
                    (Err(_), Err(_)) => { nowhere += 1; if name.contains("remote") || name.contains("cross") {} else {println!("both refuse {name}: {} -- {}", g["description"], ours.as_ref().unwrap_err());} }
                    _ => {}
                }
                let Ok(ours) = ours else { continue };
                for t in g["tests"].as_array().unwrap() {
                    n += 1;
                    let o = ours.check(t["data"].to_string().as_bytes());
                    let o2 = o.is_empty();
                    let want = t["valid"] == true;
                    let th = theirs.as_ref().ok().map(|v| v.is_valid(&t["data"]));
                    if o2 != want { bad += 1; println!("{} {name}: {} / {}: ours {o2} {o:?}", if th == Some(o2) {"same-wrong"} else {"WRONG"}, g["description"], t["description"]); }
                    if th.is_some_and(|t| t != o2) { diff += 1; if o2 == want {println!("theirs-wrong {name}: {} / {}", g["description"], t["description"]);} }
                }
            }
        }
    }
    println!("{n} tests, {bad} wrong, {diff} differ, {nowhere} refused");
}
