"""One good request for every method that changes something and takes a request_id, each with what must be there before it made anew."""
import itertools

from office import APPROVER, Office

CURRENCY = "EUR"
AGENT = "agents/kim"


class Change:
    """A request that would succeed."""

    def __init__(self, method, request, actor):
        self.method = method
        self.request = request
        self.actor = actor


class Changes:
    """Makes them; `sku` is a variant that is for sale."""

    def __init__(self, shop, sku, run):
        self.shop = shop
        self.sku = sku
        self.run = run
        self.numbers = itertools.count()
        self.code = self.new("CODE").upper()
        self.shop.ask("PricingService/CreatePromotion", {"promotion": {
            "title": "Ten percent", "code": self.code, "basis_points": 1000}})
        self._count(5000, "shelf")
        self.template = self._template()
        self.office = Office(shop, self.new)

    def new(self, what):
        """A name that nothing had before."""
        return f"{what}-{self.run}-{next(self.numbers)}"

    def make(self, method):
        """A Change of that method."""
        return self.MAKERS[method](self, method)

    def _count(self, pieces, place):
        self.shop.ask("StockService/CorrectStock", {
            "sku": self.sku, "location": place, "counted": pieces, "reason": "STOCK_REASON_COUNTED"})

    def _customer(self, **fields):
        return self.shop.ask("CustomerService/CreateCustomer", {"customer": {"display_name": "Jo"} | fields})

    def _device(self):
        return {"kind": "DEVICE", "value": self.new("device")}

    def _cart(self, actor, lines=1):
        cart = self.shop.ask("CartService/CreateCart", {"currency": CURRENCY}, actor=actor)
        for _ in range(lines):
            cart = self.shop.ask("CartService/AddLine", {"cart": cart["name"], "sku": self.sku, "quantity": 1}, actor=actor)
        return cart["name"]

    def _template(self):
        name = f"templates/{self.new('t')}"
        self.shop.ask("MessageService/CreateTemplate", {"template": {"name": name, "subject": "Hello", "body": "{{name}}"}})
        return name

    def _case(self):
        return self.shop.ask("CaseService/OpenCase", {
            "customer": f"customers/{self.new('c')}", "subject": "s", "text": "t"}, actor=AGENT)["name"]

    def _message(self, method):
        customer = self._customer()["name"]
        self.shop.ask("ConsentService/SetConsent", {"customer": customer, "consent": {
            "purpose": "service", "channel": "inbox", "state": "GRANTED", "wording": "w"}})
        return Change(method, {"customer": customer, "template": self.template, "purpose": "service",
                               "variables": {"name": "Jo"}, "deduplication_key": self.new("key")}, AGENT)

    # One maker a method.

    def create_cart(self, method):
        return Change(method, {"currency": CURRENCY}, f"customers/{self.new('c')}")

    def add_line(self, method):
        actor = f"customers/{self.new('c')}"
        return Change(method, {"cart": self._cart(actor), "sku": self.sku, "quantity": 2}, actor)

    def change_line(self, method):
        actor = f"customers/{self.new('c')}"
        return Change(method, {"cart": self._cart(actor), "sku": self.sku, "quantity": 3}, actor)

    def remove_line(self, method):
        actor = f"customers/{self.new('c')}"
        return Change(method, {"cart": self._cart(actor), "sku": self.sku}, actor)

    def add_promotion(self, method):
        actor = f"customers/{self.new('c')}"
        return Change(method, {"cart": self._cart(actor), "code": self.code}, actor)

    def remove_promotion(self, method):
        change = self.add_promotion("CartService/AddPromotion")
        self.shop.ask(change.method, change.request, actor=change.actor)
        return Change(method, change.request, change.actor)

    def attach_customer(self, method):
        actor = f"anonymous/{self.new('a')}"
        return Change(method, {"cart": self._cart(actor), "customer": f"customers/{self.new('c')}", "mode": "SUM"}, actor)

    def claim_handoff(self, method):
        actor = f"customers/{self.new('c')}"
        handoff = self.shop.ask("CartService/CreateHandoff", {"cart": self._cart(actor)}, actor=actor)
        return Change(method, {"code": handoff["code"]}, f"anonymous/{self.new('till')}")

    def join_cart(self, method):
        return Change(method, {"cart": self._cart(f"customers/{self.new('c')}")}, AGENT)

    def leave_cart(self, method):
        change = self.join_cart("CartService/JoinCart")
        self.shop.ask(change.method, change.request, actor=change.actor)
        return Change(method, change.request, change.actor)

    def set_fulfilment(self, method):
        actor = f"customers/{self.new('c')}"
        return Change(method, {"cart": self._cart(actor), "fulfilment": {"method": "SHIP", "delivery": {"country": "DE"}}}, actor)

    def set_terms(self, method):
        actor = f"customers/{self.new('c')}"
        return Change(method, {"cart": self._cart(actor), "terms": {"segments": ["segments/club"]}}, actor)

    def checkout(self, method):
        actor = f"customers/{self.new('c')}"
        cart = self._cart(actor)
        quote = self.shop.ask("CartService/QuoteCart", {"cart": cart}, actor=actor)
        return Change(method, {"cart": cart, "signed_quote": quote["signed_quote"]}, actor)

    def _order(self):
        change = self.checkout("CartService/Checkout")
        return self.shop.ask(change.method, change.request, actor=change.actor)["name"], change.actor

    def cancel_order(self, method):
        order, actor = self._order()
        return Change(method, {"order": order, "reason": "Changed their mind"}, actor)

    def return_lines(self, method):
        order, actor = self._order()
        return Change(method, {"order": order, "reason": "Too small", "lines": [{"sku": self.sku, "quantity": 1}]}, actor)

    def create_promotion(self, method):
        return Change(method, {"promotion": {"title": "One percent", "code": self.new("P").upper(), "basis_points": 100}}, AGENT)

    def end_promotion(self, method):
        change = self.create_promotion("PricingService/CreatePromotion")
        return Change(method, {"name": self.shop.ask(change.method, change.request)["name"]}, AGENT)

    def put_category(self, method):
        return Change(method, {"category": {"name": f"categories/{self.new('c')}", "title": "Tents", "parent": "categories/top"}}, AGENT)

    def put_product_type(self, method):
        return Change(method, {"product_type": {"name": f"productTypes/{self.new('t')}", "title": "Tent"}}, AGENT)

    def put_brand(self, method):
        return Change(method, {"brand": {"name": f"brands/{self.new('b')}", "title": self.new("Brand")}}, AGENT)

    def put_assortment(self, method):
        return Change(method, {"assortment": {"name": f"assortments/{self.new('a')}", "mode": "ALL_EXCEPT"}}, AGENT)

    def put_location(self, method):
        return Change(method, {"location": {"name": f"locations/{self.new('l')}", "title": "Main street"}}, AGENT)

    def _delete(self, method, put, record):
        """Deletes what was just put."""
        change = put(method)
        self.shop.ask(method.replace("/Delete", "/Put"), change.request)
        return Change(method, {"name": change.request[record]["name"]}, AGENT)

    def delete_category(self, method):
        return self._delete(method, self.put_category, "category")

    def delete_product_type(self, method):
        return self._delete(method, self.put_product_type, "product_type")

    def delete_brand(self, method):
        return self._delete(method, self.put_brand, "brand")

    def delete_assortment(self, method):
        return self._delete(method, self.put_assortment, "assortment")

    def delete_location(self, method):
        return self._delete(method, self.put_location, "location")

    def create_draft(self, method):
        return Change(method, {"title": "New", "reason": "Asked for.", "changes": [self.office.promotion()]}, AGENT)

    def change_draft(self, method):
        return Change(method, {"name": self.office.draft(), "changes": [self.office.promotion()]}, AGENT)

    def submit_draft(self, method):
        return Change(method, {"name": self.office.draft()}, AGENT)

    def withdraw_draft(self, method):
        return Change(method, {"name": self.office.submitted()}, AGENT)

    def judge_draft(self, method):
        return Change(method, {"name": self.office.submitted(), "note": "Seen."}, APPROVER)

    def publish_draft(self, method):
        return Change(method, {"name": self.office.approved()}, APPROVER)

    def roll_back(self, method):
        return Change(method, {"reason": "It was better.", "number": self.office.older_release()}, APPROVER)

    def stop_price(self, method):
        return Change(method, {"category": self.new("c"), "reason": "Wrong."}, AGENT)

    def end_stop(self, method):
        return Change(method, {"name": self.office.stop(), "note": "Seen."}, APPROVER)

    def create_coupon_campaign(self, method):
        change = self.create_promotion("PricingService/CreatePromotion")
        promotion = self.shop.ask(change.method, change.request)["name"]
        return Change(method, {"campaign": {"title": "Come back", "promotion": promotion, "total_limit": 5,
                                            "code": self.new("C").upper()}}, AGENT)

    def end_coupon_campaign(self, method):
        change = self.create_coupon_campaign("CouponService/CreateCouponCampaign")
        return Change(method, {"name": self.shop.ask(change.method, change.request)["name"]}, AGENT)

    def reserve_uses(self, method):
        change = self.create_coupon_campaign("CouponService/CreateCouponCampaign")
        code = self.shop.ask(change.method, change.request)["code"]
        quote = self.shop.ask("PricingService/CreateQuote", {
            "currency": CURRENCY, "lines": [{"sku": self.sku, "quantity": 1}], "codes": [code]})["signed_quote"]
        return Change(method, {"signed_quote": {"key_id": quote["key_id"]} | quote}, AGENT)

    def end_uses(self, method):
        change = self.reserve_uses("CouponService/ReserveUses")
        return Change(method, {"name": self.shop.ask(change.method, change.request)["name"]}, AGENT)

    def rotate_quote_key(self, method):
        return Change(method, {}, AGENT)

    def correct_stock(self, method):
        return Change(method, {"sku": self.sku, "location": self.new("place"), "counted": 1, "reason": "STOCK_REASON_COUNTED"}, AGENT)

    def reserve(self, method):
        place = self.new("place")
        self._count(5, place)
        return Change(method, {"holder": "carts/one", "lines": [{"sku": self.sku, "location": place, "quantity": 2}]}, AGENT)

    def end_reservation(self, method):
        change = self.reserve("StockService/Reserve")
        return Change(method, {"name": self.shop.ask(change.method, change.request)["name"]}, AGENT)

    def restock(self, method):
        return Change(method, {"sku": self.sku, "location": self.new("place"), "quantity": 1, "holder": "orders/one"}, AGENT)

    def create_customer(self, method):
        return Change(method, {"customer": {"display_name": "Jo", "identifiers": [self._device()]}}, AGENT)

    def update_customer(self, method):
        return Change(method, {"customer": {"name": self._customer()["name"], "display_name": "Joanna"},
                               "update_mask": "displayName"}, AGENT)

    def attach_identifier(self, method):
        return Change(method, {"customer": self._customer()["name"], "identifier": self._device()}, AGENT)

    def detach_identifier(self, method):
        device = self._device()
        return Change(method, {"customer": self._customer(identifiers=[device])["name"], "identifier": device}, AGENT)

    def merge_customers(self, method):
        return Change(method, {"survivor": self._customer()["name"], "duplicate": self._customer()["name"],
                               "reason": "same person"}, AGENT)

    def set_consent(self, method):
        return Change(method, {"customer": self._customer()["name"], "consent": {
            "purpose": "surveys", "channel": "email", "state": "GRANTED", "wording": "w"}}, AGENT)

    def create_account(self, method):
        return Change(method, {"account": {"name": f"accounts/{self.new('a')}", "channel": "web", "scopes": ["cart.read"]}}, AGENT)

    def update_account(self, method):
        change = self.create_account("AccountService/CreateAccount")
        name = self.shop.ask(change.method, change.request)["name"]
        return Change(method, {"account": {"name": name, "scopes": ["cart.write"]}}, AGENT)

    def disable_account(self, method):
        change = self.create_account("AccountService/CreateAccount")
        return Change(method, {"name": self.shop.ask(change.method, change.request)["name"]}, AGENT)

    def send_message(self, method):
        return self._message(method)

    def record_receipt(self, method):
        change = self._message("MessageService/SendMessage")
        name = self.shop.ask(change.method, change.request)["name"]
        return Change(method, {"name": name, "state": "OPENED"}, AGENT)

    def create_template(self, method):
        return Change(method, {"template": {"name": f"templates/{self.new('t')}", "subject": "s", "body": "b"}}, AGENT)

    def create_endpoint(self, method):
        return Change(method, {"endpoint": {"name": f"endpoints/{self.new('e')}", "uri": "https://example.com/in",
                                            "secret": "0123456789abcdef"}}, AGENT)

    def record_mention(self, method):
        return Change(method, {"handle": f"chirp:@{self.new('h')}", "text": "No parcel!", "is_complaint": True}, AGENT)

    def record_note(self, method):
        return Change(method, {"customer": f"customers/{self.new('c')}", "text": "Leave it with the neighbour."}, AGENT)

    def open_case(self, method):
        return Change(method, {"customer": f"customers/{self.new('c')}", "subject": "s", "text": "t"}, AGENT)

    def answer_case(self, method):
        return Change(method, {"name": self._case(), "text": "We look for it."}, AGENT)

    def resolve_case(self, method):
        return Change(method, {"name": self._case(), "resolution": "Found."}, AGENT)

    def record_answer(self, method):
        return Change(method, {"answer": {"customer": f"customers/{self.new('c')}", "kind": "NPS", "score": 3,
                                          "comment": "slow"}}, AGENT)

    MAKERS = {
        "CartService/CreateCart": create_cart, "CartService/AddLine": add_line, "CartService/ChangeLine": change_line,
        "CartService/RemoveLine": remove_line, "CartService/AddPromotion": add_promotion,
        "CartService/RemovePromotion": remove_promotion, "CartService/AttachCustomer": attach_customer,
        "CartService/ClaimHandoff": claim_handoff, "CartService/JoinCart": join_cart,
        "CartService/LeaveCart": leave_cart, "CartService/Checkout": checkout,
        "OrderService/CancelOrder": cancel_order, "OrderService/ReturnLines": return_lines,
        "CartService/SetFulfilment": set_fulfilment, "CartService/SetTerms": set_terms,
        "GovernanceService/CreateDraft": create_draft, "GovernanceService/ChangeDraft": change_draft,
        "GovernanceService/SubmitDraft": submit_draft, "GovernanceService/WithdrawDraft": withdraw_draft,
        "GovernanceService/ApproveDraft": judge_draft, "GovernanceService/RejectDraft": judge_draft,
        "GovernanceService/PublishDraft": publish_draft, "GovernanceService/RollBack": roll_back,
        "GovernanceService/StopPrice": stop_price, "GovernanceService/ConfirmStop": end_stop,
        "GovernanceService/LiftStop": end_stop,
        "CouponService/CreateCouponCampaign": create_coupon_campaign, "CouponService/EndCouponCampaign": end_coupon_campaign,
        "CouponService/ReserveUses": reserve_uses, "CouponService/RedeemUses": end_uses,
        "CouponService/ReturnUses": end_uses,
        "PricingService/RotateQuoteKey": rotate_quote_key,
        "PricingService/CreatePromotion": create_promotion, "PricingService/EndPromotion": end_promotion,
        "TaxonomyService/PutCategory": put_category, "TaxonomyService/PutProductType": put_product_type,
        "TaxonomyService/PutBrand": put_brand, "TaxonomyService/PutAssortment": put_assortment,
        "TaxonomyService/DeleteCategory": delete_category, "TaxonomyService/DeleteProductType": delete_product_type,
        "TaxonomyService/DeleteBrand": delete_brand, "TaxonomyService/DeleteAssortment": delete_assortment,
        "LocationService/PutLocation": put_location, "LocationService/DeleteLocation": delete_location,
        "StockService/CorrectStock": correct_stock, "StockService/Reserve": reserve,
        "StockService/Confirm": end_reservation, "StockService/Release": end_reservation,
        "StockService/Restock": restock,
        "CustomerService/CreateCustomer": create_customer, "CustomerService/UpdateCustomer": update_customer,
        "CustomerService/AttachIdentifier": attach_identifier, "CustomerService/DetachIdentifier": detach_identifier,
        "CustomerService/MergeCustomers": merge_customers, "ConsentService/SetConsent": set_consent,
        "AccountService/CreateAccount": create_account, "AccountService/UpdateAccount": update_account,
        "AccountService/DisableAccount": disable_account,
        "MessageService/SendMessage": send_message, "MessageService/RecordReceipt": record_receipt,
        "MessageService/CreateTemplate": create_template, "MessageService/CreateEndpoint": create_endpoint,
        "CaseService/RecordMention": record_mention, "CaseService/RecordNote": record_note,
        "CaseService/OpenCase": open_case, "CaseService/AnswerCase": answer_case,
        "CaseService/ResolveCase": resolve_case, "CaseService/RecordAnswer": record_answer,
    }


def changing_methods(api):
    """All that take a request_id; those of the tests' own protos are served by nobody here."""
    return sorted(name for name, method in api.methods.items()
                  if "request_id" in method.input_type.fields_by_name and api.package(name) != "echo")
