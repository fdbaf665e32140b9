//! Model providers.

use super::super::rule::{Rule, assigned, token};
use super::super::shape::{Set, of};

pub(super) const RULES: &[Rule] = &[
    token("anthropic-admin-api-key", &["sk-ant-admin"], r"sk-ant-admin[0-9]{2}-[0-9A-Za-z_-]{80,}AA")
        .entropy(3.0)
        .inner(),
    token(
        "anthropic-api-key",
        &["sk-ant-api", "sk-ant-oat", "sk-ant-ort"],
        r"sk-ant-(?:api|oat|ort)[0-9]{2}-[0-9A-Za-z_-]{80,}AA",
    )
    .entropy(3.0)
    .inner(),
    token(
        "openai-api-key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"],
        r"sk-(?:proj|svcacct|admin|None)-[0-9A-Za-z_-]{40,}",
    )
    .entropy(3.5)
    .inner(),
    // `T3BlbkFJ` is base64 for `OpenAI`.
    token("openai-api-key", &["sk-"], r"sk-[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20}").entropy(3.0),
    token("openrouter-api-key", &["sk-or-v1-"], r"sk-or-v1-[0-9a-f]{64}").entropy(3.0),
    token("sk-api-key", &["sk-"], r"sk-[0-9A-Za-z]{32,64}").entropy(3.8),
    token("perplexity-api-key", &["pplx-"], r"pplx-[0-9A-Za-z]{48}").entropy(4.0),
    token("groq-api-key", &["gsk_"], r"gsk_[0-9A-Za-z]{52}").entropy(3.5),
    token("xai-api-key", &["xai-"], r"xai-[0-9A-Za-z]{80}").entropy(3.5),
    token("replicate-api-token", &["r8_"], r"r8_[0-9A-Za-z]{37}").entropy(3.5),
    token("fireworks-api-key", &["fw_"], r"fw_[0-9A-Za-z]{22,24}").entropy(3.5),
    token("huggingface-access-token", &["hf_"], r"hf_[0-9A-Za-z]{34}").entropy(3.5),
    token("huggingface-organization-api-token", &["api_org_"], r"api_org_[A-Za-z]{34}").entropy(3.5),
    token("langsmith-api-key", &["lsv2_"], r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}").entropy(3.0),
    token("tavily-api-key", &["tvly-"], r"tvly-(?:dev-|prod-)?[0-9A-Za-z]{32}").entropy(3.0),
    token("nvidia-api-key", &["nvapi-"], r"nvapi-[0-9A-Za-z_-]{60,}").entropy(3.5),
    token("elevenlabs-api-key", &["sk_"], r"sk_[0-9a-f]{48}").entropy(3.0),
    assigned("cohere-api-token", &["cohere", "co_api_key"], of(Set::Alnum, 40, 40)).entropy(4.0),
    assigned("privateai-api-token", &["privateai", "private_ai", "private-ai"], of(Set::Alnum, 32, 32)).entropy(3.0),
    assigned("mistral-api-key", &["mistral"], of(Set::Alnum, 32, 32)).entropy(3.5),
    assigned("deepl-api-key", &["deepl"], of(Set::Word, 36, 39)).entropy(3.0),
];
