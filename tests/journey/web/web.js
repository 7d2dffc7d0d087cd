// The web channel: Node with @grpc/grpc-js, stubs made from the protos at start. Reads one JSON command a line, answers one JSON a
// line: {"step": "browse", …} → {"cart": …} or {"error": …}.
'use strict';
const path = require('path');
const readline = require('readline');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const root = process.env.PROTO_ROOT;
const targets = JSON.parse(process.env.TARGETS);
const definition = loader.loadSync(
  ['cart/v1/cart.proto', 'catalog/v1/product.proto'].map((f) => path.join(root, 'throughline', f)),
  { includeDirs: [root, '/usr/include'], longs: String, enums: String, defaults: true, keepCase: true });
const { throughline } = grpc.loadPackageDefinition(definition);
const credentials = grpc.credentials.createInsecure();
const carts = new throughline.cart.v1.CartService(targets.cart, credentials);
const products = new throughline.catalog.v1.ProductService(targets.catalog, credentials);

function call(client, method, request, actor) {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${process.env.TOKEN}`);
  metadata.set('throughline-channel', 'web');
  metadata.set('throughline-actor', actor);
  const deadline = Date.now() + 10000;
  return new Promise((resolve, reject) => client[method](request, metadata, { deadline },
    (error, reply) => (error ? reject(error) : resolve(reply))));
}

const steps = {
  // An anonymous visitor looks around and fills a cart.
  async browse({ actor, currency, skus, id }) {
    const found = await call(products, 'FindVariant', { sku: skus[0] }, actor);
    let cart = await call(carts, 'CreateCart', { currency, request_id: `web-cart-${id}` }, actor);
    for (const [i, sku] of skus.entries())
      cart = await call(carts, 'AddLine',
        { cart: cart.name, sku, quantity: i + 1, request_id: `web-line-${i}-${id}` }, actor);
    return { cart: cart.name, lines: cart.lines.length, title: found.product.title };
  },
  // Somebody types in a hurry, and looks at two things side by side.
  async find({ actor, query, skus, currency }) {
    const found = await call(products, 'SearchProducts', { query }, actor);
    const compared = await call(products, 'CompareProducts', { skus, currency }, actor);
    return { products: found.products.map((p) => p.name), corrected: found.corrections.length,
      compared: compared.items.map((i) => i.sku), differ: compared.rows.filter((r) => r.is_different).length };
  },
  // Where it goes, and what sending it costs.
  async ship({ actor, cart, country, currency, id }) {
    const sent = await call(carts, 'SetFulfilment',
      { cart, fulfilment: { method: 'SHIP', delivery: { country } }, request_id: `ship-${id}` }, actor);
    const shipping = { method: 'parcel', amount: { currency_code: currency, units: '5' } };
    const charged = await call(carts, 'SetTerms', { cart, terms: { shipping }, request_id: `terms-${id}` }, actor);
    return { country: sent.fulfilment.delivery.country, shipping: charged.terms.shipping.amount.units };
  },
  // What an error looks like from here: the code and every bad field.
  async blunder({ actor }) {
    try {
      await call(carts, 'AddLine', { cart: 'nonsense', quantity: -1 }, actor);
      return { code: 0 };
    } catch (error) {
      return { code: error.code, has_details: error.metadata.get('grpc-status-details-bin').length === 1 };
    }
  },
};

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const command = JSON.parse(line);
  try {
    console.log(JSON.stringify(await steps[command.step](command)));
  } catch (error) {
    console.log(JSON.stringify({ error: `${error.code}: ${error.message}` }));
  }
}).on('close', () => process.exit(0));
