//! Page views of the size that shops send them in, each with an id of its own.

use std::fmt::Write as _;

/// Writes the bodies that one connection sends.
#[derive(Debug)]
pub(crate) struct Events {
    connection: usize,
    sent: usize,
    body: String,
}

impl Events {
    pub(crate) fn of(connection: usize) -> Self {
        Self {
            connection,
            sent: 0,
            body: String::new(),
        }
    }

    /// The next body: one event, or an array of several.
    pub(crate) fn next(&mut self, events: usize) -> &[u8] {
        self.body.clear();
        self.body.push_str(if events == 1 { "" } else { "[" });
        for event in 0..events {
            self.body.push_str(if event == 0 { "" } else { "," });
            self.push();
        }
        self.body.push_str(if events == 1 { "" } else { "]" });
        self.body.as_bytes()
    }

    fn push(&mut self) {
        let (connection, sent) = (self.connection, self.sent);
        self.sent += 1;
        write!(
            self.body,
            r#"{{"specversion":"1.0","type":"page.viewed","source":"https://shop.example/web",
"id":"view-{connection}-{sent}","dataschema":"https://shop.example/schemas/page.viewed/2.json",
"data":{{"url":"https://shop.example/women/shoes/trail-runner-{item}?colour=forest%20green&size={size}&utm_source=newsletter&utm_campaign=spring_sale&utm_content=header_image",
"referrer":"https://search.example/results?q=waterproof+trail+running+shoes&lang=en&page={page}",
"visitor":"{visitor:08x}-5d1c-4b7e-9a60-{connection:012x}","duration_ms":{duration}}}}}"#,
            item = sent % 997,
            size = 36 + sent % 11,
            page = sent % 5,
            visitor = sent % 4_099,
            duration = 40 + sent % 30_000,
        )
        .expect("a string takes all");
    }
}
