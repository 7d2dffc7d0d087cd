"""Drafts, releases and stops as changes: what one person has to do before another may do the change that is tried."""
from client import Client

AUTHOR, APPROVER = "agents/lee", "agents/kim"
SCOPES = ["catalog.read", "catalog.write", "catalog.publish", "catalog.all_channels"]


class Office:
    """Two people with an account each: the author's is made here, the approver's is the shop's own."""

    def __init__(self, shop, new):
        self.shop = shop
        self.new = new
        account = f"accounts/{new('office')}"
        shop.ask("AccountService/CreateAccount", {"account": {"name": account, "channel": "web", "scopes": SCOPES}})
        token = shop.ask("AccountService/IssueToken", {"account": account, "ttl_seconds": 3600})["token"]
        self.client = Client(shop.api, shop.processes["catalog"].port, token)

    def promotion(self):
        """A change that makes one."""
        rule = f"promotions/{self.new('p')}"
        return {"rule": rule, "after": {"promotion": {
            "name": rule, "title": "One percent", "code": self.new("P").upper(), "basis_points": 100}}}

    def draft(self):
        return self.client.ask("GovernanceService/CreateDraft", {
            "title": "New", "reason": "Asked for.", "changes": [self.promotion()]}, actor=AUTHOR)["name"]

    def submitted(self):
        return self.client.ask("GovernanceService/SubmitDraft", {"name": self.draft()}, actor=AUTHOR)["name"]

    def approved(self):
        return self.shop.ask("GovernanceService/ApproveDraft", {"name": self.submitted()}, actor=APPROVER)["name"]

    def older_release(self):
        """The number of the release before the current one, which has other rules."""
        done = self.shop.ask("GovernanceService/PublishDraft", {"name": self.approved()}, actor=APPROVER)
        return int(done["release"]) - 1

    def stop(self):
        """A category is stopped that nothing is in."""
        return self.client.ask("GovernanceService/StopPrice", {"category": self.new("c"), "reason": "Wrong."}, actor=AUTHOR)["name"]
