"""The shipped mappings on small samples of their files: what each section makes of a row, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.csm_cli.importing.samples import decoded, write_csv, write_jsonl

from csm_cli.importing.dry_run import ContractCheck
from csm_cli.importing.files import plan
from csm_cli.importing.mapper import Event, Frame
from csm_cli.importing.mapping import load
from csm_cli.importing.stream import Outcome, Stream
from csm_common.mapping.conversions import Times


def outcomes(name: str, path: Path) -> list[Outcome]:
    mapping = load(name)
    with Stream(plan([str(path)], mapping), Frame(mapping.source, False, Times())) as stream:
        return stream.take(100)


async def facts(name: str, path: Path) -> list[dict[str, Any]]:
    found = [each.result for each in outcomes(name, path) if isinstance(each.result, Event)]
    assert await ContractCheck().send([each.body for each in found]) == []
    return [
        {name: event[name] for name in ("type", "subject", "time", "data")} for event in map(decoded, found)
    ]


def reasons(name: str, path: Path) -> list[str]:
    results = [each.result for each in outcomes(name, path)]
    return [getattr(each, "reason", "accepted") for each in results]


class TestFightchurnCrm5:
    NAME = "fightchurn_crm5"

    async def test_accounts_come_without_the_labels(self, tmp_path: Path) -> None:
        header = "id,channel,country,start_date,churned,churn_date,users,plan"
        path = write_csv(
            tmp_path / "account.csv", "7,web,None,2022-01-11,True,2022-05-01,72,premier", header=header
        )
        assert await facts(self.NAME, path) == [
            {
                "type": "csm.account.changed",
                "subject": "7",
                "time": "2022-01-11T00:00:00Z",
                "data": {"attributes": {"channel": "web", "users": 72}},
            }
        ]

    async def test_periods_tell_the_plan_of_their_time_and_the_subscription(self, tmp_path: Path) -> None:
        path = write_csv(
            tmp_path / "subscription.csv",
            "7,basic_mthly,2022-01-11,2022-02-11,500.0,25,users,1,0.1",
            "7,meetings,2022-01-11,2022-02-11,300,5000,schedule_meeting,1,0.0",
            header="account_id,product,start_date,end_date,mrr,quantity,units,bill_period_months,discount",
        )
        plan_fact, base, add_on = await facts(self.NAME, path)
        assert plan_fact["data"] == {"plan": "basic_mthly", "seats": 25.0, "renewal_date": "2022-02-11"}
        assert base["data"] == {
            "subscription_id": "7/users",
            "status": "active",
            "plan": "basic_mthly",
            "mrr": 500.0,
            "start": "2022-01-11",
            "term_end": "2022-02-11",
            "discount": 0.1,
            "seats": 25.0,
        }
        assert add_on["data"]["subscription_id"] == "7/schedule_meeting"
        assert "seats" not in add_on["data"]
        assert reasons(self.NAME, path) == ["accepted", "an add-on, not the plan", "accepted", "accepted"]

    async def test_events_are_usage(self, tmp_path: Path) -> None:
        path = write_csv(
            tmp_path / "event.csv",
            "220,2022-01-01T00:03:37,quote,7,",
            "220,2022-01-01T00:03:37,win_opportunity,7,99.5",
            header="account_id,event_time,event_type,user_id,event_value",
        )
        quote, win = await facts(self.NAME, path)
        assert quote == {
            "type": "csm.usage.recorded",
            "subject": "220",
            "time": "2022-01-01T00:03:37Z",
            "data": {"feature": "quote", "user_id": "7"},
        }
        assert win["data"]["value"] == 99.5


class TestCloudProviderAnalytics:
    NAME = "cloud_provider_analytics"

    async def test_accounts(self, tmp_path: Path) -> None:
        path = write_csv(
            tmp_path / "customers_orgs.csv",
            "org_a,Nimbus,Education,sa-east,standard,True,2025-05-26,rep_c,active,partner,-3.0",
            header="org_id,org_name,industry,hq_region,plan_tier,is_enterprise,signup_date,sales_rep,"
            "lifecycle_stage,marketing_source,nps_score",
        )
        (account,) = await facts(self.NAME, path)
        assert account["data"] == {
            "name": "Nimbus",
            "plan": "standard",
            "segment": "enterprise",
            "stage": "active",
            "owner": "rep_c",
            "region": "sa-east",
            "attributes": {"industry": "Education", "marketing_source": "partner"},
        }

    async def test_both_versions_of_usage_with_texts_nulls_and_zeros(self, tmp_path: Path) -> None:
        first = {
            "timestamp": "2025-07-03T00:02:00Z",
            "org_id": "org_a",
            "resource_id": "res_1",
            "service": "genai",
            "region": "sa-east",
            "metric": "requests",
            "unit": None,
            "cost_usd_increment": -0.5,
        }
        rows = [
            first | {"event_id": "e1", "value": 12.0, "schema_version": 1},
            first
            | {"event_id": "e2", "value": "3.5", "schema_version": 2, "carbon_kg": 0, "genai_tokens": 658},
            first | {"event_id": "e3", "value": None, "schema_version": 1},
            first | {"event_id": "e4", "value": "0.0", "schema_version": 1},
        ]
        path = write_jsonl(tmp_path / "events_part_0000.jsonl", *rows)
        old, new = await facts(self.NAME, path)
        common = {
            "feature": "genai.requests",
            "resource_id": "res_1",
            "region": "sa-east",
            "cost_usd": -0.5,
        }
        assert old["data"] == common | {"quantity": 12.0}
        assert new["data"] == common | {"quantity": 3.5, "carbon_kg": 0, "genai_tokens": 658}
        assert reasons(self.NAME, path)[2:] == [
            "missing_value: value",
            "a reading of zero, nothing was used",
        ]

    async def test_a_ticket_row_is_opened_solved_and_rated(self, tmp_path: Path) -> None:
        path = write_csv(
            tmp_path / "support_tickets.csv",
            "t1,org_a,billing,critical,2025-07-02,2025-07-08,4.0,True",
            "t2,org_a,billing,low,2025-07-02,,,False",
            "t3,org_a,billing,low,2025-07-02,,7.0,False",
            header="ticket_id,org_id,category,severity,created_at,resolved_at,csat,sla_breached",
        )
        opened, _, _, solved, rated = await facts(self.NAME, path)
        ticket = {"ticket_id": "t1", "priority": "urgent", "escalated": True, "topic": "billing"}
        assert opened["data"] == ticket | {"status": "open"}
        assert solved["data"] == ticket | {"status": "solved"}
        assert (opened["time"][:10], solved["time"][:10]) == ("2025-07-02", "2025-07-08")
        assert rated["data"] == {"kind": "csat", "score": 4.0, "touchpoint": "support"}
        assert reasons(self.NAME, path)[4:] == [
            "not resolved yet",
            "not resolved yet",
            "accepted",
            "no satisfaction given",
            "out_of_range: csat",
        ]

    async def test_invoices(self, tmp_path: Path) -> None:
        path = write_csv(
            tmp_path / "billing_monthly.csv",
            "i1,org_a,2025-08-01,540.79,,113.57,ARS,0.0016",
            "i2,org_a,2025-08-01,-540.79,1.5,113.57,EUR,1.1",
            header="invoice_id,org_id,month,subtotal,credits,taxes,currency,exchange_rate_to_usd",
        )
        (invoice,) = await facts(self.NAME, path)
        assert invoice["data"] == {
            "invoice_id": "i1",
            "status": "open",
            "amount": 540.79,
            "currency": "ARS",
            "taxes": 113.57,
        }
        assert reasons(self.NAME, path)[1] == "out_of_range: subtotal"

    @pytest.mark.parametrize(
        ("score", "reason"),
        [
            ("9.0", "accepted"),
            ("", "no score given"),
            ("21.0", "out_of_range: nps_score"),
            ("-6.0", "out_of_range: nps_score"),
        ],
    )
    def test_answers_are_from_0_to_10(self, tmp_path: Path, score: str, reason: str) -> None:
        path = write_csv(
            tmp_path / "nps_surveys.csv",
            f"org_a,2025-08-22,{score},Complex billing",
            header="org_id,survey_date,nps_score,comment",
        )
        assert reasons(self.NAME, path) == [reason]
