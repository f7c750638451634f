//! Plans and their immutable versions.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::super::{StoreError, UsageCount};
use super::book::Book;
use super::columns::{Reader, seconds, signed};
use super::fault::{Fault, Outcome};
use crate::model::{PlanKey, PlanTerms, PlanVersion, PlanVersionId, SubscriptionId};

const VERSION: &str = "n.row, p.key, n.version, n.terms";
const VERSION_FROM: &str = "plan_versions n JOIN plans p ON p.row = n.plan";

impl Book {
    fn version_of(row: &Row<'_>) -> Outcome<PlanVersion> {
        let r = Reader::new("plan_versions", row)?;
        let (key, terms): (String, String) = (r.get(1)?, r.get(3)?);
        Ok(PlanVersion {
            id: PlanVersionId(r.key),
            key: PlanKey::parse(&key).map_err(|e| r.nonsense(e, "a plan"))?,
            version: r.count(2)?,
            terms: serde_json::from_str(&terms).map_err(|e| r.nonsense(e, "a plan's terms"))?,
        })
    }

    /// The version of that row; `None`: no such row.
    pub(super) fn find_plan(&self, row: i64) -> Outcome<Option<Arc<PlanVersion>>> {
        if let Some(plan) = self.cache.borrow().plan(row) {
            return Ok(Some(plan));
        }
        let mut find = self.sql(&format!("SELECT {VERSION} FROM {VERSION_FROM} WHERE n.row = ?1"))?;
        let mut rows = find.query([row])?;
        let Some(found) = rows.next()? else { return Ok(None) };
        let plan = Arc::new(Self::version_of(found)?);
        self.cache.borrow_mut().keep_plan(row, Arc::clone(&plan));
        Ok(Some(plan))
    }

    /// The version that some row points at, so that it must be there.
    pub(super) fn plan_at(&self, row: i64) -> Outcome<Arc<PlanVersion>> {
        self.find_plan(row)?.ok_or_else(|| {
            let (table, found) = ("plan_versions", "nothing".to_owned());
            StoreError::Nonsense { table, row: row.to_string(), found, wanted: "a plan version" }.into()
        })
    }

    /// The newest version of every plan.
    pub(super) fn newest_plans(&self) -> Outcome<Vec<PlanVersion>> {
        let mut find = self.sql(&format!(
            "SELECT {VERSION} FROM {VERSION_FROM} \
             WHERE n.version = (SELECT max(version) FROM plan_versions WHERE plan = p.row) ORDER BY p.key"
        ))?;
        let mut rows = find.query([])?;
        let mut plans = Vec::new();
        while let Some(row) = rows.next()? {
            plans.push(Self::version_of(row)?);
        }
        Ok(plans)
    }

    pub(super) fn apply_plans(
        &self,
        plans: &[(PlanKey, PlanTerms)],
        at: Timestamp,
    ) -> Outcome<Vec<PlanVersion>> {
        let newest = self.newest_plans()?;
        let mut added = Vec::new();
        for (key, terms) in plans {
            let known = newest.iter().find(|plan| plan.key == *key);
            if known.is_none_or(|plan| plan.terms != *terms) {
                added.push(self.add_version(key, known.map_or(1, |plan| plan.version + 1), terms, at)?);
            }
        }
        Ok(added)
    }

    fn add_version(
        &self,
        key: &PlanKey,
        version: u32,
        terms: &PlanTerms,
        at: Timestamp,
    ) -> Outcome<PlanVersion> {
        let text = serde_json::to_string(terms).map_err(|e| Fault::broken(format!("plan {key}: {e}")))?;
        let found: Option<i64> = self
            .sql("SELECT row FROM plans WHERE key = ?1")?
            .query_row([key.as_str()], |row| row.get(0))
            .optional()?;
        let plan = match found {
            Some(row) => row,
            None => self.sql("INSERT INTO plans (key) VALUES (?1)")?.insert([key.as_str()])?,
        };
        let mut insert =
            self.sql("INSERT INTO plan_versions (plan, version, terms, made_at) VALUES (?1, ?2, ?3, ?4)")?;
        let row = insert.insert(params![plan, version, text, seconds(at)])?;
        Ok(PlanVersion { id: PlanVersionId(row), key: key.clone(), version, terms: terms.clone() })
    }

    pub(super) fn plan_usage(&self) -> Outcome<Vec<UsageCount>> {
        let mut find = self.sql(
            "SELECT n.row, p.key, n.version, coalesce(u.living, 0) FROM plan_versions n JOIN plans p ON p.row = n.plan \
             LEFT JOIN (SELECT plan, count(*) AS living FROM subscriptions WHERE ended_at IS NULL GROUP BY plan) u \
             ON u.plan = n.row \
             ORDER BY p.key, n.version",
        )?;
        let mut rows = find.query([])?;
        let mut usage = Vec::new();
        while let Some(row) = rows.next()? {
            let r = Reader::new("plan_versions", row)?;
            let key: String = r.get(1)?;
            usage.push(UsageCount {
                plan: PlanVersionId(r.key),
                key: PlanKey::parse(&key).map_err(|e| r.nonsense(e, "a plan"))?,
                version: r.count(2)?,
                subscriptions: u64::try_from(r.integer(3)?).unwrap_or(0),
            });
        }
        Ok(usage)
    }

    pub(super) fn on_older_versions(
        &self,
        plan: &PlanKey,
        after: Option<&SubscriptionId>,
        limit: usize,
    ) -> Outcome<Vec<SubscriptionId>> {
        let mut find = self.sql(
            "SELECT s.row, s.id FROM subscriptions s WHERE s.id > ?2 AND s.ended_at IS NULL AND s.plan IN \
             (SELECT n.row FROM plan_versions n JOIN plans p ON p.row = n.plan WHERE p.key = ?1 AND n.version < \
             (SELECT max(version) FROM plan_versions WHERE plan = n.plan)) ORDER BY s.id LIMIT ?3",
        )?;
        let after = after.map_or("", SubscriptionId::as_str);
        let mut rows = find.query(params![plan.as_str(), after, signed(limit)])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            let r = Reader::new("subscriptions", row)?;
            let id: String = r.get(1)?;
            ids.push(SubscriptionId::parse(&id).map_err(|e| r.nonsense(e, "a subscription id"))?);
        }
        Ok(ids)
    }
}
