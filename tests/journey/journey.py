"""The cross-channel journey as a test: five real services, each channel a client in another language. Every check is one test.
Started by tests/checks/journey, which makes the clients and says in CLIENTS which of them there are."""
import json
import os
import subprocess
import sys
import time

build, data, base_port = sys.argv[1], sys.argv[2], int(sys.argv[3])
clients = json.loads(os.environ["CLIENTS"])  # {"web": ["node", …], …}; a missing one is skipped by name
names = ["identity", "catalog", "cart", "feedback", "notification"]
targets = {name: f"localhost:{base_port + i}" for i, name in enumerate(names)}
run_id = format(time.time_ns(), "x")
GOODS, VAT = "taxCategories/goods", "taxRates/vat-de"
passed, failed, skipped = 0, 0, 0


def check(what, is_so, seen=""):
    global passed, failed
    if is_so:
        passed += 1
    else:
        failed += 1
        print(f"  FAILED {what}: {seen}")


class Channel:
    """A client program that answers one line of JSON for each."""

    def __init__(self, name, command):
        with open(f"{data}/tokens/{name}.token") as file:
            token = file.read().strip()
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={
            **os.environ, "TARGETS": json.dumps(targets), "TOKEN": token, "CHANNEL": name})

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the client ended"}
        if "error" in answer:
            raise RuntimeError(f"{self.name} {command.get('step') or command.get('method')}: {answer}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def rpc(service, method, actor, request, **more):
    package = {"CartService": "cart", "OrderService": "cart", "CustomerService": "identity", "ConsentService": "identity",
               "CaseService": "feedback", "MessageService": "notification", "PricingService": "catalog",
               "ProductService": "catalog", "GovernanceService": "catalog"}[service]
    return app.ask(service=f"throughline.{package}.v1.{service}", method=method, actor=actor, request=request, **more)


def until(what, ask, is_so, seconds=15):
    """Asks until it is so; for what arrives by events."""
    end = time.time() + seconds
    while True:
        answer = ask()
        if is_so(answer):
            check(what, True)
            return answer
        if time.time() > end:
            check(what, False, answer)
            return answer
        time.sleep(0.05)


def pick_variants():
    """Three variants with a price in euros and a GTIN, and what their products are called."""
    picks, titles = [], []
    for product in rpc("ProductService", "ListProducts", "", {"pageSize": 100})["products"]:
        for variant in product["variants"]:
            if variant.get("gtin") and any(p["amount"]["currencyCode"] == "EUR" for p in variant["prices"]):
                picks.append(variant)
                titles.append((product["name"], product["title"]))
                break
    return picks[:3], titles[:3]


def govern(code):
    """A promotion and a tax as the office makes them: drafted by one person, approved by another, published as a release."""
    rule = f"promotions/help-{run_id}"
    draft = at_office("merchandising", "lee", "GovernanceService", "CreateDraft", {
        "title": "Help", "reason": "The care desk asks for it.", "requestId": f"draft-{run_id}", "changes": [
            {"rule": rule, "after": {"promotion": {"name": rule, "title": "Thank you", "code": code, "basisPoints": 1000}}},
            {"rule": GOODS, "after": {"taxCategory": {"name": GOODS, "title": "Goods", "isDefault": True}}},
            {"rule": VAT, "after": {"taxRate": {"name": VAT, "title": "VAT 19 %", "country": "DE", "taxCategory": GOODS,
                                                "rateMillionths": 190000}}}]})
    at_office("merchandising", "lee", "GovernanceService", "SubmitDraft", {"name": draft["name"], "requestId": f"submit-{run_id}"})
    approve = {"name": draft["name"], "requestId": f"approve-{run_id}"}
    refused = at_office("governance", "lee", "GovernanceService", "ApproveDraft", approve, wants="FOUR_EYES")
    check("nobody approves their own draft", "FOUR_EYES" in refused, refused)
    at_office("governance", "ada", "GovernanceService", "ApproveDraft", {**approve, "requestId": f"approved-{run_id}"})
    published = at_office("governance", "ada", "GovernanceService", "PublishDraft", {
        "name": draft["name"], "requestId": f"publish-{run_id}"})
    history = rpc("GovernanceService", "ListRuleHistory", "", {"rule": rule})
    check("the release, its author and its approver are on record",
          published["state"] == "PUBLISHED" and "agents/lee" in str(history) and "agents/ada" in str(history), history)


def slip(title):
    """A title with two letters of its first long word swapped."""
    words = title.split()
    i = next(i for i, word in enumerate(words) if len(word) >= 5 and word[3] != word[4])
    return " ".join(words[:i] + [words[i][:3] + words[i][4] + words[i][3] + words[i][5:]] + words[i + 1:])


def sale():
    """From the first look to the invoice. Gives customer, cart and order."""
    picks, titles = pick_variants()
    code = "HELP-" + run_id.upper()[-8:]
    govern(code)
    customer = rpc("CustomerService", "CreateCustomer", "anonymous/phone", {
        "customer": {"displayName": "Jo", "identifiers": [{"kind": "EMAIL", "value": f"jo.{run_id}@example.com"}]},
        "requestId": f"customer-{run_id}"})["name"]
    rpc("ConsentService", "SetConsent", customer, {"customer": customer, "requestId": f"consent-{run_id}", "consent": {
        "purpose": "service", "channel": "inbox", "state": "GRANTED", "wording": "2"}})
    visitor = f"anonymous/browser-{run_id}"
    browsed = web.ask(step="browse", actor=visitor, currency="EUR", skus=[p["sku"] for p in picks[:2]], id=run_id)
    check("the web fills a cart anonymously", browsed["lines"] == 2, browsed)
    skus = [p["sku"] for p in picks]
    found = web.ask(step="find", actor=visitor, query=slip(titles[1][1]), skus=skus, currency="EUR")
    check("a mistyped word finds what was meant", titles[1][0] in found["products"] and found["corrected"] > 0, found)
    check("three articles stand side by side", found["compared"] == skus and found["differ"] > 0, found)
    blunder = web.ask(step="blunder", actor=visitor)
    check("a bad request names its fields to a Node client", blunder == {"code": 3, "has_details": True}, blunder)

    attached = rpc("CartService", "AttachCustomer", visitor, {
        "cart": browsed["cart"], "customer": customer, "mode": "SUM", "requestId": f"attach-{run_id}"})
    cart = attached["cart"]["name"]
    check("signing in keeps every line", len(attached["cart"]["lines"]) == 2, attached)
    handoff = rpc("CartService", "CreateHandoff", customer, {"cart": cart})
    claimed = store.ask(step="claim", actor=customer, code=handoff["code"], gtin=picks[2]["gtin"], id=run_id)
    check("the store gets the same cart", claimed["cart"] == cart, claimed)
    check("the scanned article is in it", claimed["lines"] == 3, claimed)
    check("a code works once", claimed["second_claim"] == "NOT_FOUND", claimed)
    helped = care.ask(step="help", cart=cart, code=code, customer=customer, id=run_id)
    check("the agent sees three lines and adds the code", helped["lines"] == 3 and helped["codes"] == [code], helped)
    shipped = web.ask(step="ship", actor=customer, cart=cart, country="DE", currency="EUR", id=run_id)
    check("the web says where it goes and what that costs", shipped == {"country": "DE", "shipping": "5"}, shipped)
    before = store.ask(step="shelf", actor=customer, sku=picks[1]["sku"])
    check("the till sees what is on the shelves", before["available"] > 0 and before["places"] > 0, before)
    order = check_out(customer, cart)
    after = store.ask(step="shelf", actor=customer, sku=picks[1]["sku"])
    check("what was sold has left the shelves, and nothing is held back",
          after == {**before, "available": before["available"] - 2} and after["reserved"] == 0, (before, after))
    return customer, order


def at_office(account, person, service, method, request, wants=""):
    """The office has no channel of its own in the journey: the command line speaks for it. `wants`: the reason of a refusal."""
    package = "catalog" if service == "GovernanceService" else "notification"
    flags = [f"--{name}-target={target}" for name, target in targets.items()]
    done = subprocess.run([f"{build}/bin/throughline", "call", package, method, json.dumps(request), f"--actor=agents/{person}",
                           f"--token-file={data}/tokens/{account}.token", *flags], capture_output=True, text=True)
    if wants:
        return done.stderr
    if done.returncode:
        raise RuntimeError(f"{method}: {done.stderr}")
    return json.loads(done.stdout)


def check_out(customer, cart):
    quoted = rpc("CartService", "QuoteCart", customer, {"cart": cart})
    request = {"cart": cart, "signedQuote": quoted["signedQuote"], "requestId": f"checkout-{run_id}"}
    rpc("CartService", "Checkout", customer, request, lose_answer=True)
    order = rpc("CartService", "Checkout", customer, request)
    again = rpc("CartService", "Checkout", customer, request)
    orders = rpc("OrderService", "ListOrders", customer, {"customer": customer})["orders"]
    invoice = rpc("OrderService", "GetInvoice", customer, {"order": order["name"]})
    check("a lost answer and two retries make one order", len(orders) == 1 and again == order, orders)
    taxes = quoted["quote"]["taxes"]
    check("the quote shows the country's tax", [tax["rate"] for tax in taxes] == [VAT], quoted)
    check("the invoice shows the quote's taxes", invoice["taxes"] == taxes and invoice["taxTotal"] == quoted["quote"]["taxTotal"],
          invoice)
    check("shipping is a charge of its own", invoice["charges"][-1]["title"] == "parcel", invoice)
    check("the order is the quote", order["quote"] == quoted["quote"], order)
    check("the invoice is the quote", invoice["total"] == quoted["quote"]["total"], invoice)
    check("the charges add up to the invoice", sum(nanos(c["amount"]) for c in invoice["charges"]) == nanos(invoice["total"]), invoice)
    verify_ledger()
    return order


def nanos(money):
    return int(money.get("units", 0)) * 10**9 + money.get("nanos", 0)


def verify_ledger():
    verified = rpc("OrderService", "VerifyLedger", "services/test", {})
    check("the ledger has no findings", "findings" not in verified and int(verified["orders"]) >= 1, verified)


def second_thoughts(customer, order):
    """One piece comes back to the store; another order is cancelled on the phone."""
    line = order["quote"]["lines"][1]
    before = store.ask(step="shelf", actor=customer, sku=line["sku"])
    returned = store.ask(step="bring_back", customer=customer, order=order["name"], sku=line["sku"], id=run_id)
    after = store.ask(step="shelf", actor=customer, sku=line["sku"])
    check("half of the line is credited", abs(2 * returned["nanos"] - nanos(line["total"])) <= 10**7, (returned, line))
    check("the piece is on the shelf again", after["available"] == before["available"] + 1, (before, after))

    cart = rpc("CartService", "CreateCart", customer, {"currency": "EUR"})["name"]
    rpc("CartService", "AddLine", customer, {"cart": cart, "sku": line["sku"], "quantity": 1})
    signed = rpc("CartService", "QuoteCart", customer, {"cart": cart})["signedQuote"]
    second = rpc("CartService", "Checkout", customer, {"cart": cart, "signedQuote": signed})["name"]
    done = care.ask(step="cancel", customer=customer, order=second, id=run_id)
    check("the care desk cancels: all is credited", done["state"].endswith("CANCELLED") and done["notes"] == 1, done)
    check("and nothing was taken", store.ask(step="shelf", actor=customer, sku=line["sku"]) == after, after)
    verify_ledger()


def aftermath(customer, order):
    """From the complaint to the thank-you."""
    handle = f"chirp:@jo{run_id}"
    store.ask(step="note", customer=customer, id=run_id)
    case = social.ask(step="mention", handle=handle, id=run_id)["case"]
    stranger = care.ask(step="look", case=case)
    check("nobody knows the handle at first", stranger["customer"] == "", stranger)
    rpc("CustomerService", "AttachIdentifier", customer, {
        "customer": customer, "identifier": {"kind": "SOCIAL_HANDLE", "value": handle}, "requestId": f"handle-{run_id}"})
    until("the case knows customer, order and note once the handle is linked", lambda: care.ask(step="look", case=case),
          lambda seen: seen == {"customer": customer, "orders": 1, "notes": 1})
    done = care.ask(step="resolve", case=case, customer=customer, id=run_id)
    check("the agent resolves the case", done["state"].endswith("RESOLVED"), done)
    survey = rpc("CaseService", "RecordAnswer", customer, {"answer": {
        "customer": customer, "kind": "NPS", "score": 9, "subject": case}, "requestId": f"survey-{run_id}"})
    check("the survey is answered", survey["score"] == 9, survey)
    at_office("merchandising", "lee", "MessageService", "CreateTemplate", {"template": {
        "name": f"templates/thanks-{run_id}", "subject": "Thank you", "body": "{{name}}, thank you for {{total}}."}})
    total = f"{order['quote']['total'].get('units', 0)} EUR"
    sent = care.ask(step="thank", customer=customer, template=f"templates/thanks-{run_id}", total=total, id=run_id)
    check("without consent nothing is sent", sent["webhook"].endswith("SUPPRESSED"), sent)
    arrival = rpc("MessageService", "WatchInbox", customer, {"customer": customer})
    check("the message is in the inbox", arrival["message"]["body"] == f"Jo, thank you for {total}.", arrival)


def story(customer):
    """The one timeline of all channels."""
    wanted = {"CustomerCreated", "ConsentChanged", "CartOpened", "LineAdded", "CustomerAttached", "HandoffClaimed", "AgentJoined",
              "PromotionAdded", "OrderPlaced", "CaseOpened", "IdentifierAttached", "NoteRecorded", "CaseResolved",
              "SurveyAnswered", "MessageCreated", "FulfilmentSet", "LinesReturned", "OrderCancelled"}
    seen = until("the timeline has everything that happened",
                 lambda: rpc("CustomerService", "ListTimeline", customer, {"customer": customer, "pageSize": 200}),
                 lambda page: wanted <= {entry["type"] for entry in page["entries"]})
    entries = seen["entries"]
    channels = {entry.get("channel") for entry in entries}
    check("all five channels are in it", {"web", "app", "store", "care", "social"} <= channels, channels)
    times = [entry["time"] for entry in entries]
    check("it is in order, newest first", times == sorted(times, reverse=True), times)
    counted = {source["source"]: int(source["entries"]) for source in seen["sources"]}
    check("it counts what each service told", sum(counted.values()) == len(entries), (counted, len(entries)))
    numbers = {}
    for entry in entries:
        numbers.setdefault(entry["aggregate"], []).append(int(entry["aggregateSequence"]))
    gaps = {a: sorted(n) for a, n in numbers.items() if a.startswith("carts/") and sorted(n) != list(range(1, len(n) + 1))}
    check("no event of a cart is missing", not gaps, gaps)


missing = [name for name in ("web", "app", "store", "social", "care") if name not in clients]
if missing:
    for name in missing:
        print(f"  skipped the journey: no client for {name} ({os.environ.get('WHY_' + name.upper(), 'not built')})")
    skipped = len(missing)
else:
    channels = {name: Channel(name, command) for name, command in clients.items()}
    web, app, store, social, care = (channels[n] for n in ("web", "app", "store", "social", "care"))
    try:
        customer, order = sale()
        aftermath(customer, order)
        second_thoughts(customer, order)
        story(customer)
    except Exception as error:  # a step that breaks is one failure, and ends the journey
        check("the journey goes to its end", False, error)
    for channel in channels.values():
        channel.close()
print(f"journey: {passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
