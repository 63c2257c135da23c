// An OpenID provider for the tests, made of the package oidc-provider:
//
//   node provider.mjs '{"port": 9000, "client_id": "…", "client_secret": "…",
//                       "redirect_uri": "…", "people": {"ada": {"email": "…"}},
//                       "claims_in_id_token": false}'
//
// Its issuer is http://127.0.0.1:<port>. It prints a line when it listens and
// ends with its standard input, so it does not outlive the test. Sign-in and
// consent are the forms that come with the package: any password will do for
// those in people, whose claims they give.
import { generateKeyPairSync, randomUUID } from 'node:crypto';

import { Provider } from 'oidc-provider';

const config = JSON.parse(process.argv[2]);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(`http://127.0.0.1:${config.port}`, {
  clients: [{
    client_id: config.client_id,
    client_secret: config.client_secret,
    redirect_uris: [config.redirect_uri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'RS256',
  }],
  clientAuthMethods: ['client_secret_basic'],
  pkce: { required: () => true, methods: ['S256'] },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' }] },
  cookies: { keys: [randomUUID()] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  // By OpenID Connect Core 1.0 section 5.4 these claims come from the userinfo
  // endpoint; many providers put them into the id_token too.
  conformIdTokenClaims: !config.claims_in_id_token,
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => config.people[id] && { accountId: id, claims: () => ({ sub: id, ...config.people[id] }) },
});

provider.listen(config.port, '127.0.0.1', () => console.log('listening'));
process.stdin.resume().on('end', () => process.exit());
