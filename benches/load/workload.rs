//! What one connection sends, each request with an id of its own, and what it takes for an answer.

use std::{fmt::Write as _, sync::Arc};

use crate::{
    Failure,
    client::{Answer, Request},
    ids::{Ids, Order, uuid},
};

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Page views of the size that shops send them in.
    Pages,
    /// Forms with one e-mail address, which is sealed; they concern no lead.
    Forms,
    /// New leads.
    Leads,
    /// One lead by its id, masked.
    Read,
    /// One lead by its id, in the clear and on record.
    Clear,
    /// A lead by its e-mail address, in the clear and on record.
    Search,
}

/// Writes the requests of one connection.
#[derive(Debug)]
pub(crate) struct Workload {
    work: Work,
    /// Events a request.
    events: usize,
    /// Who sends in turns.
    callers: Arc<[String]>,
    caller: usize,
    /// Ids or e-mail addresses of leads that are there.
    known: Arc<[String]>,
    fields: String,
    ids: Ids,
    sent: usize,
    line: String,
    body: String,
    expected: String,
}

impl Work {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "pages" => Self::Pages,
            "forms" => Self::Forms,
            "leads" => Self::Leads,
            "read" => Self::Read,
            "clear" => Self::Clear,
            "search" => Self::Search,
            _ => return None,
        })
    }

    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Clear | Self::Search)
    }

    /// What a request is divided into.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Pages | Self::Forms => "event",
            Self::Leads => "lead",
            Self::Read | Self::Clear | Self::Search => "request",
        }
    }
}

impl Workload {
    /// Of the connection with this number; `callers` are API keys.
    pub(crate) fn new(work: Work, events: usize, order: Order, callers: &Arc<[String]>) -> Self {
        let expected = match work {
            Work::Pages | Work::Forms => {
                format!(r#"{{"accepted":{events},"duplicates":0,"rejected":[]"#)
            }
            Work::Leads => r#"{"id":""#.to_owned(),
            Work::Read | Work::Clear => r#"{""#.to_owned(),
            Work::Search => r#"{"leads":[{""#.to_owned(),
        };
        Self {
            work,
            events,
            callers: Arc::clone(callers),
            caller: 0,
            known: [].into(),
            fields: String::new(),
            ids: Ids::new(order),
            sent: 0,
            line: String::new(),
            body: String::new(),
            expected,
        }
    }

    /// As a trusted proxy forwards it, for the client with this number.
    pub(crate) fn forwarded_for(mut self, client: usize) -> Self {
        self.fields = format!("x-forwarded-for: 10.{client}.0.1\r\n");
        self
    }

    /// With the leads that are to be read.
    pub(crate) fn of_leads(mut self, known: &Arc<[String]>) -> Self {
        self.known = Arc::clone(known);
        if matches!(self.work, Work::Clear | Work::Search) {
            self.fields.push_str("x-access-reason: measured\r\n");
        }
        self
    }

    /// Begins with another of the callers and leads than others do.
    pub(crate) fn beginning_at(mut self, caller: usize) -> Self {
        self.caller = caller;
        self.sent = caller;
        self
    }

    /// The next request.
    pub(crate) fn next(&mut self) -> Result<Request<'_>, Failure> {
        self.line.clear();
        self.body.clear();
        match self.work {
            Work::Pages | Work::Forms => self.write_events()?,
            Work::Leads => {
                self.line.push_str("POST /v1/leads");
                let id = self.ids.next();
                let email = format!("lead-{id:032x}@mail.example");
                self.body.push_str(&lead_body(&email, self.sent));
            }
            Work::Read | Work::Clear => {
                self.line = format!("GET /v1/leads/{}", self.one_known()?);
            }
            Work::Search => self.line = format!("GET /v1/leads?email={}", self.one_known()?),
        }
        self.sent += 1;
        self.caller = (self.caller + 1) % self.callers.len();
        Ok(Request {
            line: &self.line,
            credential: &self.callers[self.caller],
            fields: &self.fields,
            body: self.body.as_bytes(),
        })
    }

    /// Anything but what is expected ends the run: what is refused is cheap.
    pub(crate) fn check(&self, answer: Answer<'_>) -> Result<(), Failure> {
        let Answer { status, body } = answer;
        let right = match self.work {
            Work::Pages | Work::Forms => status == 202,
            Work::Leads => status == 201,
            Work::Read | Work::Clear | Work::Search => status == 200,
        };
        if right && body.starts_with(self.expected.as_bytes()) {
            return Ok(());
        }
        let body = String::from_utf8_lossy(body);
        Err(format!("{} was answered with {status}: {body}", self.line).into())
    }

    fn one_known(&self) -> Result<&String, Failure> {
        let number = self.sent.wrapping_mul(7_919) % self.known.len().max(1);
        Ok(self.known.get(number).ok_or("there is no lead to read")?)
    }

    fn write_events(&mut self) -> Result<(), Failure> {
        self.line.push_str("POST /v1/events");
        let [open, close] = if self.events == 1 {
            ["", ""]
        } else {
            ["[", "]"]
        };
        self.body.push_str(open);
        for event in 0..self.events {
            self.body.push_str(if event == 0 { "" } else { "," });
            let id = self.ids.next();
            match self.work {
                Work::Forms => write_form(&mut self.body, id)?,
                _ => write_page(&mut self.body, id, self.sent + event)?,
            }
        }
        self.body.push_str(close);
        Ok(())
    }
}

/// A lead as `POST /v1/leads` takes it.
pub(crate) fn lead_body(email: &str, number: usize) -> String {
    let number = number % 10_000;
    format!(r#"{{"email":"{email}","name":"Ada Martins","phone":"+55119{number:04}5678"}}"#)
}

fn write_form(body: &mut String, id: u128) -> std::fmt::Result {
    write!(
        body,
        r#"{{"specversion":"1.0","type":"form.submitted","source":"https://shop.example/web","id":"{}",
"data":{{"form":"newsletter","email":"visitor-{:016x}@mail.example"}}}}"#,
        uuid(id),
        id & u128::from(u64::MAX),
    )
}

fn write_page(body: &mut String, id: u128, number: usize) -> std::fmt::Result {
    write!(
        body,
        r#"{{"specversion":"1.0","type":"page.viewed","source":"https://shop.example/web",
"id":"{id}","dataschema":"https://shop.example/schemas/page.viewed/2.json",
"data":{{"url":"https://shop.example/women/shoes/trail-runner-{item}?colour=forest%20green&size={size}&utm_source=newsletter&utm_campaign=spring_sale&utm_content=header_image",
"referrer":"https://search.example/results?q=waterproof+trail+running+shoes&lang=en&page={page}",
"visitor":"{visitor:08x}-5d1c-4b7e-9a60-00000000c0de","duration_ms":{duration}}}}}"#,
        id = uuid(id),
        item = number % 997,
        size = 36 + number % 11,
        page = number % 5,
        visitor = number % 4_099,
        duration = 40 + number % 30_000,
    )
}
