//! The texts that are searched: what a service is sent all day, and what is full of personal data. All
//! of it is made up.

use std::fmt::Write as _;

/// How long each text is: more than a cache line, less than a cache.
const BYTES: usize = 64 * 1024;

/// A text by the name it has in the table of results.
pub type Named = (&'static str, String);

/// Texts without personal data in them.
#[must_use]
pub fn clean() -> Vec<Named> {
    vec![
        ("prose", fill(prose)),
        ("json", fill(json)),
        ("urls", fill(url)),
        ("log_lines", fill(log_line)),
        ("accented", fill(accented)),
        ("other_scripts", fill(other_scripts)),
    ]
}

/// Texts in which something is found every few words, and a part of it encoded.
#[must_use]
pub fn dense() -> Vec<Named> {
    vec![
        ("contacts", fill(contact)),
        ("encoded_contacts", fill(encoded_contact)),
    ]
}

/// Values as they stand in events: name and text, most of them short.
#[must_use]
pub fn values() -> Vec<(&'static str, String)> {
    let mut values = Vec::new();
    let mut random = Random(1);
    for _ in 0..64 {
        values.extend([
            (
                "url",
                format!("https://shop.example/shoes/{}", random.pick(ITEMS)),
            ),
            (
                "referrer",
                format!("https://search.example/?q={}", random.pick(ITEMS)),
            ),
            ("visitor", random.hexadecimal(16)),
            ("duration_ms", (random.below(9_000) + 40).to_string()),
            ("campaign", random.pick(WORDS).to_owned()),
            ("order", format!("o-{}", random.below(90_000) + 10_000)),
        ]);
    }
    values
}

/// The fields of a JSON log line as the reference service writes it, the message first.
pub const LOG_FIELDS: &[(&str, &str)] = &[
    ("message", "request answered"),
    ("http.request.method", "POST"),
    ("http.route", "/v1/events"),
    ("http.response.status_code", "202"),
    ("url.scheme", "http"),
    ("network.protocol.version", "1.1"),
    ("tenant", "acme-shoes"),
    ("kid", "0123456789ABCDEFGHIJKL"),
    ("accepted", "25"),
    ("rejected", "0"),
    ("bytes", "18230"),
    ("elapsed_ms", "7.314"),
];

/// The same with what must not be shown: in the message, in a field, and for a field's name.
pub const LOG_FIELDS_WITH_PERSONAL_DATA: &[(&str, &str)] = &[
    ("message", "no lead for jane.doe@example.com, asked twice"),
    ("http.request.method", "GET"),
    ("http.route", "/v1/leads"),
    ("http.response.status_code", "404"),
    ("tenant", "acme-shoes"),
    ("query", "phone +49 170 1234567"),
    ("authorization", "Bearer 0123456789abcdef"),
    ("elapsed_ms", "2.871"),
];

const WORDS: &[&str] = &[
    "the", "order", "left", "after", "noon", "and", "reached", "harbour", "with", "every", "box",
    "still", "sealed", "which", "nobody", "had", "expected", "of", "a", "vessel", "that", "old",
    "summer", "sale", "begins", "when", "most", "shops", "are", "closed", "for", "holidays",
];
const ITEMS: &[&str] = &[
    "trail-runner",
    "rain-boot",
    "sandal",
    "court-shoe",
    "moccasin",
    "wool-sock",
    "lace",
];
const ACCENTED: &[&str] = &[
    "A encomenda não chegou à loja até às três da tarde; o armazém já está avisado. ",
    "Die Größe fällt kleiner aus, für Füße mit hohem Spann wählt man eine größere. ",
    "Le modèle a été livré à l’entrepôt où l’équipe vérifie la qualité du cuir. ",
    "Zamówienie zostało spakowane, a kurier odbierze je później, około południa. ",
];
const OTHER_SCRIPTS: &[&str] = &[
    "Заказ упакован и ждёт курьера на складе; размер проверен дважды. ",
    "ご注文の靴は倉庫で検品中です。発送まで今しばらくお待ちください。",
    "تم تجهيز الطلب وهو الآن في المستودع بانتظار الشحن إلى المتجر. ",
    "订单已经打包完毕，正在仓库等待发货，尺码已经核对过。",
    "주문하신 신발은 창고에서 검사 중이며 곧 발송될 예정입니다. ",
    "आपका ऑर्डर पैक हो चुका है और गोदाम में भेजे जाने की प्रतीक्षा में है। ",
];

fn prose(text: &mut String, random: &mut Random) {
    for word in 0..9 {
        text.push_str(random.pick(WORDS));
        text.push_str(if word == 4 { ", " } else { " " });
    }
    text.push_str(random.pick(WORDS));
    text.push_str(". ");
}

fn json(text: &mut String, random: &mut Random) {
    push(
        text,
        format_args!(
            "{{\"specversion\":\"1.0\",\"type\":\"purchase.completed\",\"source\":\"shop.example/web\",\
             \"id\":\"{}\",\"time\":\"2026-05-0{}T11:2{}:00.{:03}Z\",\"data\":{{\"order\":\"o-{}\",\
             \"currency\":\"EUR\",\"total_cents\":{},\"items\":[{{\"sku\":\"{}\",\"quantity\":{},\
             \"price\":{}.{:02},\"in_stock\":true,\"note\":null}}]}}}}\n",
            random.uuid(),
            random.below(9) + 1,
            random.below(10),
            random.below(1_000),
            random.below(90_000) + 10_000,
            random.below(30_000),
            random.pick(ITEMS),
            random.below(4) + 1,
            random.below(200),
            random.below(100),
        ),
    );
}

fn url(text: &mut String, random: &mut Random) {
    push(
        text,
        format_args!(
            "https://www.shop{}.example/{}/{}?utm_source=news&utm_campaign={}%20{}&page={}&ref=%2Fstart%2F{}#top\n",
            random.below(40),
            random.pick(WORDS),
            random.pick(ITEMS),
            random.pick(WORDS),
            random.pick(WORDS),
            random.below(40),
            random.pick(ITEMS),
        ),
    );
}

fn log_line(text: &mut String, random: &mut Random) {
    push(
        text,
        format_args!(
            "2026-05-0{}T11:2{}:07.{:06}Z INFO shop::orders trace_id={} span_id={} order={} \
             took={}.{:03}ms rows={} shard={}/{} build 4.{}.{}: {} {}\n",
            random.below(9) + 1,
            random.below(10),
            random.below(1_000_000),
            random.hexadecimal(32),
            random.hexadecimal(16),
            random.uuid(),
            random.below(90),
            random.below(1_000),
            random.below(20_000),
            random.below(16),
            16,
            random.below(30),
            random.below(9),
            random.pick(WORDS),
            random.pick(WORDS),
        ),
    );
}

fn accented(text: &mut String, random: &mut Random) {
    text.push_str(random.pick(ACCENTED));
}

fn other_scripts(text: &mut String, random: &mut Random) {
    text.push_str(random.pick(OTHER_SCRIPTS));
}

fn contact(text: &mut String, random: &mut Random) {
    push(
        text,
        format_args!(
            "{} {}.{}@mail{}.example.com or +49 170 {:07}, card 4111 1111 1111 1111\n",
            random.pick(WORDS),
            random.pick(WORDS),
            random.pick(WORDS),
            random.below(90),
            random.below(9_000_000) + 1_000_000,
        ),
    );
}

fn encoded_contact(text: &mut String, random: &mut Random) {
    push(
        text,
        format_args!(
            "email={}.{}%40mail{}.example.com&phone=%2B49170{:07}&note={}\n",
            random.pick(WORDS),
            random.pick(WORDS),
            random.below(90),
            random.below(9_000_000) + 1_000_000,
            random.pick(WORDS),
        ),
    );
}

fn fill(line: fn(&mut String, &mut Random)) -> String {
    let mut text = String::with_capacity(BYTES + 512);
    let mut random = Random(0);
    while text.len() < BYTES {
        line(&mut text, &mut random);
    }
    text
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a string takes all");
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same texts in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        let last = from.len() as u64;
        let index = usize::try_from(self.below(last)).expect("it is an index");
        from[index]
    }

    fn hexadecimal(&mut self, digits: usize) -> String {
        let (high, low) = (self.next(), self.next());
        format!("{high:016x}{low:016x}")[..digits].to_owned()
    }

    /// A version 4 UUID.
    fn uuid(&mut self) -> String {
        let digits = self.hexadecimal(32);
        let (variant, rest) = (self.pick(&["8", "9", "a", "b"]), &digits[17..20]);
        format!(
            "{}-{}-4{}-{variant}{rest}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[13..16],
            &digits[20..]
        )
    }
}
