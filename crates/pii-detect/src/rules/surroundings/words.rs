//! The words that say what a number is; those with marks over Latin letters are here without them.

use unicode_normalization::UnicodeNormalization as _;

/// What a number is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Meaning {
    Phone,
    Card,
    Cpf,
    Cnpj,
    UsSsn,
    Iban,
    /// A number that a state gave, without saying which.
    Document,
    /// A code whose digits are given by a standard or a carrier, such as an EAN: nobody's, whatever it
    /// looks like.
    Code,
    /// What a shop calls a thing or an order. It may be any number, also somebody's.
    Thing,
}

/// What a word does in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Says(Meaning),
    /// May stand between the word that says it and the number.
    Filler,
    /// `id`, `key`: the number that somebody gave to the thing that was named.
    Id,
}

/// A word in lower case; longer ones are in no table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    bytes: [u8; MAX_BYTES],
    length: usize,
}

const MAX_BYTES: usize = 32;

impl Word {
    pub(super) fn new(word: &str) -> Self {
        let mut lower = Self::default();
        for c in word.chars().flat_map(char::to_lowercase) {
            lower.push(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        lower
    }

    /// Without the marks over its letters, `téléphone` as `telephone`: both spellings are in use, in
    /// names of fields most of all. `None` if it has none.
    fn unmarked(&self) -> Option<Self> {
        if self.as_str().is_ascii() {
            return None;
        }
        let mut plain = Self::default();
        for c in self.as_str().nfd().filter(|c| !is_mark(*c)) {
            plain.push(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Some(plain)
    }

    /// Both in a row: `tax` and `id` are in the table as `taxid`, however they are joined.
    pub(super) fn joined(&self, next: &Self) -> Self {
        let mut joined = *self;
        if self.length > 0 {
            joined.push(next.as_str().as_bytes());
        }
        joined
    }

    fn push(&mut self, bytes: &[u8]) {
        match self.bytes.get_mut(self.length..self.length + bytes.len()) {
            Some(free) => {
                free.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => {
                self.bytes = [b'.'; MAX_BYTES];
                self.length = MAX_BYTES;
            }
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// The marks over the letters of Latin, Greek and Cyrillic, where they do not stand on their own.
pub(super) fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

pub(super) fn role(word: &Word, prose: bool) -> Option<Role> {
    plain_role(word, prose).or_else(|| plain_role(&word.unmarked()?, prose))
}

fn plain_role(word: &Word, prose: bool) -> Option<Role> {
    let text = word.as_str();
    said(word)
        .or_else(|| (prose && is_verb(text)).then_some(Role::Says(Meaning::Phone)))
        .or_else(|| is_id(text).then_some(Role::Id))
        .or_else(|| (is_filler(text) || prose && is_small_word(text)).then_some(Role::Filler))
}

/// The words that say it themselves.
pub(super) fn said(word: &Word) -> Option<Role> {
    meaning(word.as_str())
        .or_else(|| meaning(word.unmarked()?.as_str()))
        .map(Role::Says)
}

fn meaning(word: &str) -> Option<Meaning> {
    Some(match word {
        "phone" | "phones" | "telephone" | "phonenumber" | "phoneno" | "mobilephone"
        | "cellphone" | "homephone" | "workphone" | "tel" | "telno" | "cell" | "mobile"
        | "mobil" | "mob" | "fax" | "telefax" | "msisdn" | "whatsapp" | "sms" | "fon" | "fone"
        | "telefone" | "telefones" | "celular" | "celulares" | "telemovel" | "movel" | "movil"
        | "telefono" | "telefon" | "telefonnummer" | "telefonnr" | "handy" | "handynummer"
        | "handynr" | "rufnummer" | "mobilnummer" | "mobiltelefon" | "telefoon"
        | "telefoonnummer" | "mobiel" | "gsm" | "puhelin" | "puh" | "tlf" | "cellulare"
        | "телефон" | "тел" | "моб" | "мобильный" | "факс" | "τηλεφωνο" | "τηλ" | "κινητο"
        | "هاتف" | "جوال" | "טלפון" | "फोन" | "मोबाइल" | "โทร" | "thoai" => {
            Meaning::Phone
        }
        "card" | "cardno" | "cardnumber" | "creditcard" | "debitcard" | "ccnumber" | "ccnum"
        | "pan" | "cc" | "visa" | "mastercard" | "amex" | "maestro" | "cartao" | "tarjeta"
        | "kreditkarte" | "kartennummer" | "carte" | "karte" => Meaning::Card,
        "cpf" | "cpfs" | "cpfcnpj" => Meaning::Cpf,
        "cnpj" | "cnpjs" => Meaning::Cnpj,
        "ssn" | "ssns" | "socialsecurity" | "itin" => Meaning::UsSsn,
        "iban" | "ibans" | "bankaccount" => Meaning::Iban,
        "taxid" | "taxpayer" | "tin" | "nationalid" | "documento" | "document" | "doc"
        | "contribuinte" | "govid" | "identitynumber" | "personalid" | "identidade" => {
            Meaning::Document
        }
        "ean" | "eans" | "gtin" | "gtins" | "upc" | "upcs" | "isbn" | "isbns" | "issn"
        | "barcode" | "barcodes" | "imei" | "imeis" | "iccid" | "tracking" | "trackingnumber"
        | "usps" | "fedex" | "dhl" | "ups" | "sscc" | "ndc" | "ein" | "siret" | "siren"
        | "parcel" | "shipment" | "waybill" => Meaning::Code,
        "sku" | "skus" | "asin" | "mpn" | "product" | "products" | "item" | "items" | "article"
        | "artikel" | "produto" | "producto" | "serial" | "serialnumber" | "part" | "model"
        | "batch" | "lot" | "order" | "orders" | "invoice" | "invoices" | "bestellung"
        | "rechnung" | "pedido" | "pedidos" | "fatura" | "factura" | "commande" | "facture"
        | "ticket" | "tickets" | "transaction" | "receipt" | "quote" | "booking"
        | "reservation" | "protocolo" | "case" | "timestamp" => Meaning::Thing,
        _ => return ends_in_phone(word).then_some(Meaning::Phone),
    })
}

/// Scripts without spaces: `联系电话` is one word here.
fn ends_in_phone(word: &str) -> bool {
    const PHONE: [&str; 9] = [
        "电话",
        "電話",
        "电话号码",
        "電話番号",
        "手机",
        "手機",
        "手机号",
        "携帯",
        "전화",
    ];
    !word.is_ascii() && PHONE.iter().any(|phone| word.ends_with(phone))
}

fn is_verb(word: &str) -> bool {
    matches!(
        word,
        "call"
            | "calling"
            | "called"
            | "dial"
            | "ring"
            | "ligar"
            | "ligue"
            | "liga"
            | "llamar"
            | "llame"
            | "llama"
            | "chamar"
            | "anrufen"
            | "appeler"
            | "appelez"
            | "bel"
            | "chiama"
            | "chiamare"
            | "звоните"
            | "позвоните"
    )
}

fn is_id(word: &str) -> bool {
    matches!(
        word,
        "id" | "ids" | "key" | "ref" | "reference" | "code" | "codes" | "index"
    )
}

/// Words of names.
fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "number"
            | "numbers"
            | "no"
            | "nr"
            | "num"
            | "n"
            | "nº"
            | "numero"
            | "nummer"
            | "num1"
            | "value"
            | "raw"
            | "home"
            | "work"
            | "office"
            | "private"
            | "primary"
            | "secondary"
            | "main"
            | "other"
            | "alt"
            | "new"
            | "old"
            | "e164"
            | "e"
            | "164"
            | "formatted"
            | "full"
            | "text"
            | "string"
            | "str"
            | "br"
            | "us"
            | "номер"
            | "号码"
    ) || word.len() <= 1
        || word.len() == 2 && word.bytes().all(|b| b.is_ascii_digit())
}

/// Words that stand between in sentences.
fn is_small_word(word: &str) -> bool {
    matches!(
        word,
        "is" | "at"
            | "me"
            | "on"
            | "my"
            | "to"
            | "the"
            | "us"
            | "our"
            | "him"
            | "her"
            | "them"
            | "of"
            | "for"
            | "was"
            | "are"
            | "and"
            | "or"
            | "via"
            | "meu"
            | "minha"
            | "para"
            | "em"
            | "e"
            | "es"
            | "mi"
            | "al"
            | "el"
            | "unter"
            | "auf"
            | "ist"
            | "meine"
            | "der"
            | "die"
            | "le"
            | "au"
            | "est"
            | "mon"
            | "il"
            | "customer"
            | "client"
            | "cliente"
            | "do"
            | "da"
            | "with"
            | "now"
            | "please"
            | "по"
            | "на"
    )
}
