//! Queries, taken apart.

use std::{collections::BTreeSet, time::Duration};

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{
        self, BinaryExpr, Expr, LabelModifier, VectorMatchCardinality, VectorSelector,
        token::{T_LAND, T_LOR, T_LUNLESS},
    },
};

/// A query that can be parsed.
#[derive(Debug)]
pub(crate) struct Query {
    expr: Expr,
}

/// One place in a query that reads series.
#[derive(Debug)]
pub(crate) struct Read<'a> {
    pub(crate) name: &'a str,
    pub(crate) matchers: &'a [Matcher],
    /// The functions around it, the innermost first.
    pub(crate) functions: Vec<&'static str>,
    /// For how long it looks back.
    pub(crate) range: Option<Duration>,
    /// Whether something else stands in where there is no series: `or vector(0)`, or another expression.
    pub(crate) has_substitute: bool,
}

/// A comparison of a quantile of a histogram with a number.
#[derive(Debug)]
pub(crate) struct Threshold<'a> {
    /// The buckets that the quantile is read from.
    pub(crate) histogram: &'a str,
    pub(crate) number: f64,
}

/// The labels that the result of a query has.
pub(crate) type Labels = BTreeSet<String>;

impl Query {
    /// # Errors
    /// What the parser says is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text).map(|expr| Self { expr })
    }

    /// Every place that reads series.
    pub(crate) fn reads(&self) -> Vec<Read<'_>> {
        let mut found = Vec::new();
        visit(&self.expr, &mut Vec::new(), false, &mut found);
        found
    }

    /// Every comparison of a quantile with a number.
    pub(crate) fn thresholds(&self) -> Vec<Threshold<'_>> {
        let mut found = Vec::new();
        compare(&self.expr, &mut found);
        found
    }

    /// The labels of the result, where each name read has the labels that `labels_of` says.
    pub(crate) fn labels(&self, labels_of: &dyn Fn(&VectorSelector) -> Labels) -> Labels {
        labels(&self.expr, labels_of)
    }
}

fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Aggregate(it) => it
            .param
            .iter()
            .chain([&it.expr])
            .map(AsRef::as_ref)
            .collect(),
        Expr::Unary(it) => vec![&it.expr],
        Expr::Binary(it) => vec![&it.lhs, &it.rhs],
        Expr::Paren(it) => vec![&it.expr],
        Expr::Subquery(it) => vec![&it.expr],
        Expr::Call(it) => it.args.args.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

fn visit<'a>(
    expr: &'a Expr,
    functions: &mut Vec<&'static str>,
    substituted: bool,
    found: &mut Vec<Read<'a>>,
) {
    let mut read = |selector: &'a VectorSelector, range| {
        found.push(Read {
            name: selector.name.as_deref().unwrap_or_default(),
            matchers: &selector.matchers.matchers,
            functions: functions.iter().rev().copied().collect(),
            range,
            has_substitute: substituted,
        });
    };
    match expr {
        Expr::VectorSelector(it) => read(it, None),
        Expr::MatrixSelector(it) => read(&it.vs, Some(it.range)),
        Expr::Call(it) => {
            functions.push(it.func.name);
            for argument in children(expr) {
                visit(argument, functions, substituted, found);
            }
            functions.pop();
        }
        Expr::Binary(it) if it.op.id() == T_LOR => {
            visit(&it.lhs, functions, true, found);
            visit(&it.rhs, functions, substituted, found);
        }
        _ => {
            for child in children(expr) {
                visit(child, functions, substituted, found);
            }
        }
    }
}

fn compare<'a>(expr: &'a Expr, found: &mut Vec<Threshold<'a>>) {
    if let Expr::Binary(it) = expr
        && it.op.is_comparison_operator()
        && let (Some(histogram), Some(number)) = (quantile(&it.lhs), number(&it.rhs))
    {
        found.push(Threshold { histogram, number });
    }
    for child in children(expr) {
        compare(child, found);
    }
}

/// The buckets that this is a quantile of.
fn quantile(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Paren(it) => quantile(&it.expr),
        Expr::Call(it) if it.func.name == "histogram_quantile" => {
            let buckets = it.args.args.last()?;
            let mut found = Vec::new();
            visit(buckets, &mut Vec::new(), false, &mut found);
            found.first().map(|read| read.name)
        }
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::NumberLiteral(it) => Some(it.val),
        Expr::Paren(it) => number(&it.expr),
        _ => None,
    }
}

/// Whether it is one number, and no series.
fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(it) => is_number(&it.expr),
        Expr::Call(it) => ["time", "scalar", "pi"].contains(&it.func.name),
        expr => number(expr).is_some(),
    }
}

fn labels(expr: &Expr, of: &dyn Fn(&VectorSelector) -> Labels) -> Labels {
    match expr {
        Expr::VectorSelector(it) => of(it),
        Expr::MatrixSelector(it) => of(&it.vs),
        Expr::Paren(it) => labels(&it.expr, of),
        Expr::Unary(it) => labels(&it.expr, of),
        Expr::Subquery(it) => labels(&it.expr, of),
        Expr::Aggregate(it) => {
            let inner = labels(&it.expr, of);
            match &it.modifier {
                Some(LabelModifier::Include(kept)) => {
                    let kept: Labels = kept.labels.iter().cloned().collect();
                    &inner & &kept
                }
                Some(LabelModifier::Exclude(gone)) => inner
                    .into_iter()
                    .filter(|name| !gone.labels.contains(name))
                    .collect(),
                None => Labels::new(),
            }
        }
        Expr::Binary(it) => of_binary(it, of),
        Expr::Call(it) => of_call(it.func.name, &it.args.args, of),
        _ => Labels::new(),
    }
}

fn of_binary(it: &BinaryExpr, of: &dyn Fn(&VectorSelector) -> Labels) -> Labels {
    let (left, right) = (labels(&it.lhs, of), labels(&it.rhs, of));
    // A number has no series to match with.
    if is_number(&it.rhs) {
        return left;
    }
    if is_number(&it.lhs) {
        return right;
    }
    match it.op.id() {
        T_LAND | T_LUNLESS => return left,
        // Only what both sides have is there in any case; a substitute without labels fires nothing.
        T_LOR if right.is_empty() => return left,
        T_LOR => return &left & &right,
        _ => {}
    }
    let Some(modifier) = &it.modifier else {
        return left;
    };
    match (&modifier.card, &modifier.matching) {
        (VectorMatchCardinality::ManyToOne(more), _) => left
            .into_iter()
            .chain(more.labels.iter().cloned())
            .collect(),
        (VectorMatchCardinality::OneToMany(more), _) => right
            .into_iter()
            .chain(more.labels.iter().cloned())
            .collect(),
        (_, Some(LabelModifier::Include(on))) => left
            .into_iter()
            .filter(|name| on.labels.contains(name))
            .collect(),
        (_, Some(LabelModifier::Exclude(gone))) => left
            .into_iter()
            .filter(|name| !gone.labels.contains(name))
            .collect(),
        _ => left,
    }
}

fn of_call(name: &str, arguments: &[Box<Expr>], of: &dyn Fn(&VectorSelector) -> Labels) -> Labels {
    let last = || {
        arguments
            .last()
            .map(|it| labels(it, of))
            .unwrap_or_default()
    };
    match name {
        "vector" | "time" | "scalar" | "absent" | "absent_over_time" => Labels::new(),
        "histogram_quantile" => {
            let mut inner = last();
            inner.remove("le");
            inner
        }
        _ => arguments
            .first()
            .map(|it| labels(it, of))
            .unwrap_or_default(),
    }
}

/// The values that a matcher asks for by name; `None` where a pattern is no list of words.
pub(crate) fn listed(matcher: &Matcher) -> Option<Vec<&str>> {
    let is_word = |word: &str| {
        let mut letters = word.chars();
        letters.all(|it| it.is_ascii_alphanumeric() || "_-/.+".contains(it))
    };
    match &matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => Some(vec![&matcher.value]),
        MatchOp::Re(_) | MatchOp::NotRe(_) => {
            let words: Vec<_> = matcher.value.split('|').collect();
            words.iter().all(|word| is_word(word)).then_some(words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels_of(text: &str) -> Vec<String> {
        let all = |_: &VectorSelector| ["a", "b", "le"].map(str::to_owned).into();
        let query = Query::parse(text).unwrap();
        query.labels(&all).into_iter().collect()
    }

    #[test]
    fn labels_are_what_prometheus_keeps() {
        for (text, expected) in [
            ("x", &["a", "b", "le"][..]),
            ("rate(x[1m])", &["a", "b", "le"]),
            ("sum(x)", &[]),
            ("sum by (a) (x)", &["a"]),
            ("sum without (a) (x)", &["b", "le"]),
            (
                "histogram_quantile(0.9, sum by (a, le) (rate(x[1m])))",
                &["a"],
            ),
            ("sum by (a) (x) > 5", &["a"]),
            ("1 - sum by (a) (x)", &["a"]),
            ("sum by (a) (x) / on (b) sum by (b) (x)", &[]),
            ("sum by (a) (x) * on (a) group_left (b) x", &["a", "b"]),
            ("sum by (a) (x) or vector(0)", &["a"]),
            ("sum by (a) (x) or sum by (b) (x)", &[]),
            ("sum by (a) (x) and on (a) x", &["a"]),
            ("absent(x)", &[]),
        ] {
            assert_eq!(labels_of(text), expected, "{text}");
        }
    }

    #[test]
    fn reads_tell_their_functions_ranges_and_substitutes() {
        let query = Query::parse("sum(rate(x{a=\"1\"}[2m])) or vector(0) > y").unwrap();
        let reads = query.reads();
        assert_eq!(reads[0].name, "x");
        assert_eq!(reads[0].functions, ["rate"]);
        assert_eq!(reads[0].range, Some(Duration::from_secs(120)));
        assert!(reads[0].has_substitute);
        assert_eq!((reads[1].name, reads[1].has_substitute), ("y", false));
    }

    #[test]
    fn a_comparison_with_a_quantile_is_a_threshold() {
        let text = "histogram_quantile(0.95, sum by (le) (rate(x_bucket[2m]))) > 0.12 and y > 3";
        let query = Query::parse(text).unwrap();
        let thresholds = query.thresholds();
        assert_eq!(thresholds.len(), 1);
        assert_eq!(
            (thresholds[0].histogram, thresholds[0].number),
            ("x_bucket", 0.12)
        );
    }
}
