// Runs the script of /user/lib in a page of https://frontend.example.com that
// consists of as much as it needs. The argument is the gateway's address.
import assert from 'node:assert/strict';

const [base] = process.argv.slice(2);
const origin = 'https://frontend.example.com';
const script = await (await fetch(`${base}/user/lib`)).text();

// A page's requests, with the browser's rule for credentials (Fetch standard,
// CORS check).
class Request {
  open(method, url) { Object.assign(this, {method, url}); }

  async send() {
    try {
      const response = await fetch(this.url, {method: this.method, headers: {Origin: origin}});
      assert.equal(response.headers.get('access-control-allow-origin'), origin);
      if (this.withCredentials) assert.equal(response.headers.get('access-control-allow-credentials'), 'true');
      this.status = response.status;
      this.responseText = await response.text();
    } catch (e) {
      this.onerror(e);
      return;
    }
    this.onload();
  }
}

function page(query, globals = {}) {
  const stored = new Map();
  const window = {
    Promise, XMLHttpRequest: Request, opened: [],
    localStorage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => stored.set(key, String(value)),
      removeItem: (key) => stored.delete(key),
    },
    location: {pathname: '/app/', search: query, hash: '#/x'},
    history: {state: null, replaceState: (state, title, url) => { window.address = url; }},
    open: (...args) => window.opened.push(args),
    stored, ...globals,
  };
  new Function('window', script)(window);
  return window;
}

// settled is [true, value] or [false, reason].
const settled = (promise) => promise.then((value) => [true, value], (reason) => [false, reason]);

// What a page sees of the three services, however it gets them.
async function story(window, {authenticate, authorize, baseUrl}, addressWithoutToken) {
  assert.equal(baseUrl.getBaseUrl(), base);
  assert.equal(authenticate.getToken(), undefined);

  // Signed in by the token in the page's address.
  const [good, who] = await settled(authenticate.check('https://frontend.example.com/app/?a=b#c'));
  assert.ok(good);
  assert.equal(who.token, 'token-of-ada');
  assert.equal(who.profile.idhash, 'u1');
  assert.equal(who.profile.username, null);
  assert.equal(window.stored.get('ngStorage-jwt'), '"token-of-ada"');
  assert.equal(authenticate.getToken(), 'token-of-ada');
  const [granted, may] = await settled(authorize.check(who.token, 'storage'));
  assert.ok(granted);
  assert.equal(may.token, 'minted.u1.storage');
  assert.deepEqual(may.permissions, {max_public_storage_mb: 50, read: true});

  // A gateway that cannot tell signs nobody out.
  baseUrl.setBaseUrl(`${base}/nowhere`);
  assert.deepEqual(await settled(authenticate.check('x')), [false, {}]);
  assert.deepEqual(await settled(authorize.check('token-of-ada', 'storage')), [false, {}]);
  assert.equal(authenticate.getToken(), 'token-of-ada');
  baseUrl.setBaseUrl(base);

  authenticate.logout();
  assert.equal(authenticate.getToken(), undefined);
  assert.equal(window.stored.size, 0);
  addressWithoutToken();

  // A session that has ended is forgotten.
  window.stored.set('ngStorage-jwt', '"ended"');
  const [stillGood, ways] = await settled(authenticate.check('https://frontend.example.com/app/?a=b#c'));
  assert.ok(!stillGood);
  assert.equal(ways.google.url, `${base}/auth/login/google?next=https%3A%2F%2Ffrontend.example.com%2Fapp%2F%3Fa%3Db%23c&deliver=jwt`);
  assert.equal(window.stored.size, 0);
  authenticate.login(ways.google.url, 'OS_Login');
  assert.deepEqual(window.opened, [[ways.google.url, 'OS_Login']]);
}

const plain = page('?x=1&jwt=token-of-ada&y=2');
await story(plain, plain.authClient, () => {
  assert.equal(plain.address, '/app/?x=1&y=2#/x');
  plain.location.search = '?x=1&y=2';
});

// Where the browser allows no storage, a token lasts as long as the page.
const forgetful = page('?jwt=token-of-ada', {localStorage: null});
assert.ok((await settled(forgetful.authClient.authenticate.check('x')))[0]);
assert.equal(forgetful.authClient.authenticate.getToken(), 'token-of-ada');
forgetful.authClient.authenticate.logout();
assert.equal(forgetful.authClient.authenticate.getToken(), undefined);

// Angular 1, as far as the module uses it.
const modules = {};
const angular = {
  module(name, requires) {
    const factories = {};
    const self = {requires, factories, factory: (service, recipe) => { factories[service] = recipe; return self; }};
    return modules[name] = self;
  },
};
const ng = page('?jwt=not-seen', {angular});
const search = {jwt: 'token-of-ada', x: '1'};
const made = {
  $window: ng,
  $q: {reject: (reason) => Promise.reject(reason)},
  $location: {search: (name, value) => (name ? delete search[name] && assert.equal(value, null) : search)},
  $http: {
    get: (url, {params, withCredentials}) => new Promise((resolve, reject) => {
      const request = new Request();
      const given = Object.entries(params).filter(([, value]) => value !== undefined);
      request.open('GET', `${url}?${new URLSearchParams(given)}`);
      assert.equal(withCredentials, url.endsWith('/check'));
      request.withCredentials = withCredentials;
      request.onerror = reject;
      request.onload = () => (request.status === 200 ? resolve({data: JSON.parse(request.responseText)}) : reject(request.status));
      request.send();
    }),
  },
};
const inject = (name) => made[name] ??= (() => {
  const recipe = [modules['authClient.services'].factories[name]].flat();
  return recipe.pop()(...recipe.map(inject));
})();
assert.deepEqual([...modules['authClient.services'].requires], []);
assert.deepEqual([...modules.authClient.requires], ['authClient.services']);
const services = {authenticate: inject('authenticate'), authorize: inject('authorize'), baseUrl: inject('baseUrl')};
assert.equal(inject('authenticate'), services.authenticate);
await story(ng, services, () => assert.deepEqual(search, {x: '1'}));

console.log('all told');
