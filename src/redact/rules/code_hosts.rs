//! Code hosts and package registries.

use super::super::rule::{Rule, assigned, near, token};
use super::super::shape::{Set, of};

pub(super) const RULES: &[Rule] = &[
    // https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
    token("github-pat", &["ghp_"], r"ghp_[0-9A-Za-z]{36,}").entropy(3.0).inner(),
    token("github-fine-grained-pat", &["github_pat_"], r"github_pat_[0-9A-Za-z_]{60,}").entropy(3.0).inner(),
    token("github-oauth", &["gho_"], r"gho_[0-9A-Za-z]{36,}").entropy(3.0),
    token("github-app-token", &["ghu_", "ghs_"], r"gh[us]_[0-9A-Za-z]{36,}").entropy(3.0),
    token("github-refresh-token", &["ghr_"], r"ghr_[0-9A-Za-z]{36,}").entropy(3.0),
    // https://docs.gitlab.com/security/tokens/#token-prefixes
    token("gitlab-pat", &["glpat-"], r"glpat-[0-9A-Za-z_-]{20,}(?:\.[0-9a-z.]{9,})?").entropy(3.0).inner(),
    token("gitlab-runner-authentication-token", &["glrt-"], r"glrt-[0-9A-Za-z_-]{20,}(?:\.[0-9a-z.]{9,})?")
        .entropy(3.0),
    token("gitlab-cicd-job-token", &["glcbt-"], r"glcbt-(?:[0-9A-Za-z]{1,5}_)?[0-9A-Za-z_-]{20,}").entropy(3.0),
    token("gitlab-deploy-token", &["gldt-"], r"gldt-[0-9A-Za-z_-]{20,}").entropy(3.0),
    token("gitlab-feature-flag-client-token", &["glffct-"], r"glffct-[0-9A-Za-z_-]{20,}").entropy(3.0),
    token("gitlab-feed-token", &["glft-"], r"glft-[0-9A-Za-z_-]{20,}").entropy(3.0),
    token("gitlab-incoming-mail-token", &["glimt-"], r"glimt-[0-9A-Za-z_-]{20,}").entropy(3.0),
    token("gitlab-kubernetes-agent-token", &["glagent-"], r"glagent-[0-9A-Za-z_-]{50,}").entropy(3.0),
    token("gitlab-oauth-app-secret", &["gloas-"], r"gloas-[0-9A-Za-z_-]{64,}").entropy(3.0),
    token("gitlab-ptt", &["glptt-"], r"glptt-[0-9a-f]{40}").entropy(3.0),
    token("gitlab-rrt", &["gr1348941"], r"GR1348941[0-9A-Za-z_-]{20,}").entropy(3.2),
    token("gitlab-scim-token", &["glsoat-"], r"glsoat-[0-9A-Za-z_-]{20,}").entropy(3.0),
    token("gitlab-session-cookie", &["_gitlab_session="], r"_gitlab_session=([0-9a-z]{32})").entropy(3.0).inner(),
    assigned("bitbucket-client-secret", &["bitbucket"], of(Set::WordEq, 64, 64)),
    assigned("bitbucket-client-id", &["bitbucket"], of(Set::Alnum, 32, 32)),
    token("bitbucket-app-password", &["atbb"], r"ATBB[0-9A-Za-z]{32}").entropy(3.0),
    // https://docs.npmjs.com/about-access-tokens
    token("npm-access-token", &["npm_"], r"npm_[0-9A-Za-z]{36}").entropy(3.0),
    near("npm-auth", &["_authtoken", "_auth="], 0, 200, r#"^_auth(?:Token)?\s*=\s*"?([0-9A-Za-z+/=_.-]{16,})"#)
        .entropy(3.0),
    // https://pypi.org/help/#apitoken
    token("pypi-upload-token", &["pypi-ageichlwas5vcmc", "pypi-agenczy"], r"pypi-Ag[0-9A-Za-z_-]{50,}")
        .entropy(3.0)
        .inner(),
    token("rubygems-api-token", &["rubygems_"], r"rubygems_[0-9a-f]{48}").entropy(2.0),
    token("clojars-api-token", &["clojars_"], r"(?i:CLOJARS_)[0-9A-Za-z]{60}").entropy(2.0),
    token("crates-io-token", &["cio"], r"cio[0-9A-Za-z]{32}").entropy(3.5),
    token("docker-pat", &["dckr_pat_", "dckr_oat_"], r"dckr_[po]at_[0-9A-Za-z_-]{27,}").entropy(3.0).inner(),
    token("artifactory-api-key", &["akcp"], r"AKCp[0-9A-Za-z]{69}").entropy(4.0),
    token("artifactory-reference-token", &["cmvmd"], r"cmVmd[0-9A-Za-z]{59}").entropy(4.0),
    assigned("jfrog-api-key", &["jfrog", "artifactory", "bintray", "xray"], of(Set::Alnum, 73, 73)),
    assigned("jfrog-identity-token", &["jfrog", "artifactory", "bintray", "xray"], of(Set::Alnum, 64, 64)),
    // A bare 40-digit name is a git object far more often: the vendor's prefix or name is required.
    token("sourcegraph-access-token", &["sgp_"], r"sgp_(?:(?:[0-9a-fA-F]{16}|local)_)?[0-9a-fA-F]{40}").entropy(3.1),
    assigned("sourcegraph-access-token", &["sourcegraph"], of(Set::Hex, 40, 40)).entropy(3.1),
    assigned("sonar-api-token", &["sonar"], of(Set::WordEq, 40, 46)).entropy(2.9),
    token("sonar-api-token", &["sqp_", "squ_", "sqa_"], r"sq[pua]_[0-9A-Za-z]{40}").entropy(2.9),
    assigned("codecov-access-token", &["codecov"], of(Set::Alnum, 32, 32)),
    assigned("codecov-access-token", &["codecov"], super::super::shape::UUID),
    assigned("snyk-api-token", &["snyk"], super::super::shape::UUID),
    assigned("travisci-access-token", &["travis"], of(Set::Alnum, 22, 22)),
    assigned("droneci-access-token", &["droneci"], of(Set::Alnum, 32, 32)),
    token("circleci-token", &["cciprj_", "ccipat_"], r"CCI(?:PRJ|PAT)_[0-9A-Za-z]{20,}_[0-9a-f]{40}").entropy(3.0),
    token("buildkite-token", &["bkua_"], r"bkua_[0-9a-f]{40}").entropy(3.0),
    assigned("gitter-access-token", &["gitter"], of(Set::Word, 40, 40)),
    token("readme-api-token", &["rdme_"], r"rdme_[0-9a-z]{70}").entropy(2.5),
    token("nuget-api-key", &["oy2"], r"oy2[a-z0-9]{43}").entropy(3.5),
];
