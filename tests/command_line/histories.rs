//! Histories written by hand, line by line, as the format is documented: what the judges of other builds would have to read, too.

/// The header of a store of three replicas and majorities, judged by fresh reads alone.
pub(crate) const HEADER: &str = r#"{"format":1,"plan":"by hand","workload":"register","seed":1,"nodes":["n1","n2","n3"],"quorum":{"n":3,"r":2,"w":2},"read_repair":"none","sync":"each-write","request_timeout_ms":500,"concurrency":2,"judges":["fresh-reads"]}"#;

/// Two writes, one after the other, then a read of the second.
const WRITES: [&str; 4] = [
    r#"{"index":0,"time":10,"type":"invoke","process":0,"f":"write","key":"k","value":1,"node":"n1"}"#,
    r#"{"index":1,"time":20,"type":"ok","process":0,"f":"write","key":"k","value":1,"node":"n1"}"#,
    r#"{"index":2,"time":30,"type":"invoke","process":0,"f":"write","key":"k","value":2,"node":"n1"}"#,
    r#"{"index":3,"time":40,"type":"ok","process":0,"f":"write","key":"k","value":2,"node":"n1"}"#,
];
const READ_BEGINS: &str =
    r#"{"index":4,"time":50,"type":"invoke","process":1,"f":"read","key":"k","node":"n2"}"#;

/// The lines of a history in which a read begins after two writes and returns `value`.
fn read_of(value: u8) -> Vec<String> {
    let read_ends = format!(
        r#"{{"index":5,"time":60,"type":"ok","process":1,"f":"read","key":"k","value":{value},"node":"n2"}}"#
    );
    let lines = [HEADER].into_iter().chain(WRITES).chain([READ_BEGINS]);
    lines.map(str::to_owned).chain([read_ends]).collect()
}

/// The read returns the newest write.
pub(crate) fn kept() -> Vec<String> {
    read_of(2)
}

/// The read returns the older write.
pub(crate) fn broken() -> Vec<String> {
    read_of(1)
}

/// The read never returns, so that nothing can be judged.
pub(crate) fn undecided() -> Vec<String> {
    let mut lines = kept();
    lines.pop();
    lines
}

/// The file of these lines.
pub(crate) fn file(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}
