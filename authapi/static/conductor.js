/* The browser client for applications that were made for os-conductor.
 *
 * With Angular 1, loaded before, it is the module "authClient.services" with the
 * services authenticate, authorize and baseUrl. With or without, the same three
 * are members of window.authClient, with the browser's own promises.
 *
 *   authenticate.check(next)          {token, profile}; else the ways to sign in, {google: {url}, ...},
 *                                     or {} if it cannot be told
 *   authenticate.getToken()           the session token, or undefined
 *   authenticate.login(url, target)   opens the url of a way to sign in
 *   authenticate.logout()             forgets the session token
 *   authorize.check(token, service)   {permissions, token, ...}; else {}
 *   baseUrl.getBaseUrl(), setBaseUrl(url)
 */
(function (window) {
  'use strict';

  // Whoever was signed in with ngStorage, which put JSON there, stays signed in.
  var KEY = 'ngStorage-jwt';
  var memory; // where the browser allows no storage

  function recall() {
    var token = memory;
    try {
      token = JSON.parse(window.localStorage.getItem(KEY)) || memory;
    } catch (e) { /* no storage, or not our text */ }
    return typeof token === 'string' && token !== '' ? token : undefined;
  }

  function remember(token) {
    memory = token;
    try {
      window.localStorage.setItem(KEY, JSON.stringify(token));
    } catch (e) { /* it lasts as long as the page */ }
  }

  function forget() {
    memory = undefined;
    try {
      window.localStorage.removeItem(KEY);
    } catch (e) { /* nothing was stored */ }
  }

  function makeBaseUrl() {
    var base = "{ORIGIN}";
    return {
      getBaseUrl: function () { return base; },
      setBaseUrl: function (url) { base = url; }
    };
  }

  // A host is what Angular and a plain browser do differently:
  //   get(url, parameters, withCredentials)   a promise of the JSON answer
  //   reject(reason)                          a promise that fails
  //   urlToken(), dropUrlToken()              "jwt" in the address of the page
  //   open(url, target)

  function makeAuthenticate(host, baseUrl) {
    function check(next) {
      var token = recall();
      if (!token) {
        token = host.urlToken();
        if (typeof token === 'string' && token !== '') {
          remember(token);
        } else {
          token = undefined;
        }
      }
      return host.get(baseUrl.getBaseUrl() + '/user/check', {next: next, jwt: token}, true).then(function (answer) {
        if (answer.authenticated) {
          return {token: token, profile: answer.profile};
        }
        if (recall() === token) {
          forget();
        }
        return host.reject(answer.providers);
      }, function () {
        return host.reject({}); // the token may still be good
      });
    }

    return {
      check: check,
      getToken: recall,
      login: function (url, target) { host.open(url, target); },
      logout: function () {
        if (recall()) {
          forget();
          host.dropUrlToken();
        }
      }
    };
  }

  function makeAuthorize(host, baseUrl) {
    return {
      check: function (token, service) {
        return host.get(baseUrl.getBaseUrl() + '/user/authorize', {jwt: token, service: service}, false).then(null, function () {
          return host.reject({});
        });
      }
    };
  }

  // Without Angular.

  function encode(parameters) {
    return Object.keys(parameters).filter(function (name) {
      return parameters[name] !== undefined && parameters[name] !== null;
    }).map(function (name) {
      return name + '=' + encodeURIComponent(parameters[name]);
    }).join('&');
  }

  function isToken(pair) { return pair.split('=')[0] === 'jwt'; }

  function pairs() { return window.location.search.slice(1).split('&'); }

  var browser = {
    get: function (url, parameters, withCredentials) {
      return new window.Promise(function (resolve, reject) {
        var request = new window.XMLHttpRequest();
        request.open('GET', url + '?' + encode(parameters));
        request.withCredentials = withCredentials;
        request.onerror = request.onabort = request.ontimeout = reject;
        request.onload = function () {
          if (request.status < 200 || request.status > 299) {
            reject(request.status);
            return;
          }
          try {
            resolve(JSON.parse(request.responseText));
          } catch (e) {
            reject(e);
          }
        };
        request.send();
      });
    },
    reject: function (reason) { return window.Promise.reject(reason); },
    urlToken: function () {
      var found = pairs().filter(isToken);
      try {
        return found.length > 0 ? decodeURIComponent(found[0].slice('jwt='.length)) : undefined;
      } catch (e) {
        return undefined;
      }
    },
    dropUrlToken: function () {
      var all = pairs();
      var kept = all.filter(function (pair) { return !isToken(pair); });
      if (kept.length < all.length) {
        var query = kept.length > 0 ? '?' + kept.join('&') : '';
        window.history.replaceState(window.history.state, '', window.location.pathname + query + window.location.hash);
      }
    },
    open: function (url, target) { window.open(url, target); }
  };
  var baseUrl = makeBaseUrl();
  window.authClient = {
    authenticate: makeAuthenticate(browser, baseUrl),
    authorize: makeAuthorize(browser, baseUrl),
    baseUrl: baseUrl
  };

  // With Angular 1.

  if (!window.angular) {
    return;
  }

  function angularHost($http, $q, $location, $window) {
    return {
      get: function (url, parameters, withCredentials) {
        return $http.get(url, {params: parameters, withCredentials: withCredentials}).then(function (response) {
          return response.data;
        });
      },
      reject: function (reason) { return $q.reject(reason); },
      urlToken: function () { return $location.search().jwt; },
      dropUrlToken: function () { $location.search('jwt', null); },
      open: function (url, target) { $window.open(url, target); }
    };
  }

  window.angular.module('authClient.services', [])
    .factory('baseUrl', makeBaseUrl)
    .factory('authenticate', ['$http', '$q', '$location', '$window', 'baseUrl', function ($http, $q, $location, $window, baseUrl) {
      return makeAuthenticate(angularHost($http, $q, $location, $window), baseUrl);
    }])
    .factory('authorize', ['$http', '$q', '$location', '$window', 'baseUrl', function ($http, $q, $location, $window, baseUrl) {
      return makeAuthorize(angularHost($http, $q, $location, $window), baseUrl);
    }]);
  window.angular.module('authClient', ['authClient.services']);
})(window);
