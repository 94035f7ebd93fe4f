//! Families of embedders that were trained with texts before questions and chunks.

/// Models that were trained with prefixes which their files need not have.
pub(super) struct Family {
    /// What messages call it.
    pub(super) name: &'static str,
    /// Parts of a model's name that all have to be there, and that must not.
    with: &'static [&'static str],
    without: &'static [&'static str],
    /// What goes before questions; empty where that is nothing.
    pub(super) query: &'static str,
    /// The same of chunks.
    pub(super) document: &'static str,
}

const REPRESENT: &str = "Represent this sentence for searching relevant passages: ";

/// The first that fits counts.
const FAMILIES: [Family; 10] = [
    Family {
        name: "E5 with instructions",
        with: &["e5", "instruct"],
        without: &[],
        query: "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
        document: "",
    },
    Family {
        name: "E5",
        with: &["e5"],
        without: &[],
        query: "query: ",
        document: "passage: ",
    },
    Family {
        name: "Chinese BGE",
        with: &["bge", "zh"],
        without: &["reranker"],
        query: "为这个句子生成表示以用于检索相关文章：",
        document: "",
    },
    Family {
        name: "English BGE",
        with: &["bge", "en"],
        without: &["reranker"],
        query: REPRESENT,
        document: "",
    },
    Family {
        name: "Nomic",
        with: &["nomic", "embed"],
        without: &[],
        query: "search_query: ",
        document: "search_document: ",
    },
    Family {
        name: "Arctic 2",
        with: &["arctic", "embed", "v2"],
        without: &[],
        query: "query: ",
        document: "",
    },
    Family {
        name: "Arctic",
        with: &["arctic", "embed"],
        without: &[],
        query: REPRESENT,
        document: "",
    },
    Family {
        name: "Mixedbread",
        with: &["mxbai", "embed"],
        without: &[],
        query: REPRESENT,
        document: "",
    },
    Family {
        name: "UAE",
        with: &["uae", "large"],
        without: &[],
        query: REPRESENT,
        document: "",
    },
    Family {
        name: "RoSBERTa",
        with: &["rosberta"],
        without: &[],
        query: "search_query: ",
        document: "search_document: ",
    },
];

/// The family that a model's name tells.
pub(super) fn family(name: &str) -> Option<&'static Family> {
    let name = name.to_lowercase();
    let parts: Vec<&str> = name
        .split(|letter: char| !letter.is_alphanumeric())
        .collect();
    FAMILIES.iter().find(|family| {
        family.with.iter().all(|part| parts.contains(part))
            && !family.without.iter().any(|part| parts.contains(part))
    })
}
